/** bundled.ts — the recorded traces that ship with the package (traces/README.md). */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../root.js';

const folder = new URL('traces/', packageRoot);
const ENDING = '.txt.gz';

/** Names of the bundled traces. */
export function bundledTraces(): string[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(ENDING));
  return files.map((file) => file.slice(0, -ENDING.length)).sort();
}

/** Path of a bundled trace by name, or the path itself: `fd` is ours, `./fd` a file of the user's. */
export function tracePath(name: string): string {
  return bundledTraces().includes(name) ? fileURLToPath(new URL(`${name}${ENDING}`, folder)) : name;
}
