/** bundled.ts — the recorded traces that ship with the package (traces/README.md). */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../root.js';

/** Path of a bundled trace by name, or the path itself. */
export function tracePath(name: string): string {
  const bundled = new URL(`traces/${name}.txt.gz`, packageRoot);
  return existsSync(bundled) ? fileURLToPath(bundled) : name;
}
