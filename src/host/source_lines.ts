/**
 * source_lines.ts — the TypeScript line a stack comes from: the first one that is neither hw/ nor the explorer's own.
 *
 * Bundles are mapped by the map beside them, read once; a scenario's file that is not bundled shows its own line.
 */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import { packageRoot } from './root.js';

const SOURCES = new URL('src/', packageRoot).pathname;
/** below src/: not what is explored, but what explores; the catalogue is scenarios */
const OWN = /^(hw|host|lab(?!\/catalogue\/)|stepped\.ts)/;

const maps = new Map<string, SourceMap | null>();
/** by frame: 'slab_link.ts:88', or null for a frame that is passed over */
const frames = new Map<string, string | null>();

/** @param stack of an Error @returns 'slab_link.ts:88', '' when no frame is left */
export function sourceLine(stack: string): string {
  for (const line of stack.split('\n').slice(1)) {
    let found = frames.get(line);
    if (found === undefined) {
      found = lineOf(line);
      frames.set(line, found);
    }
    if (found !== null) return found;
  }
  return '';
}

function lineOf(frame: string): string | null {
  const match = /(?:at |\()(file:\/\/[^\s()]+|\/[^()]+):(\d+):(\d+)\)?$/.exec(frame);
  if (!match) return null;
  const [, where, line, column] = match;
  const file = pathOf(where!);
  const entry = mapOf(file)?.findEntry(Number(line) - 1, Number(column) - 1);
  if (!entry || !('originalSource' in entry)) return visible(file, Number(line));
  return visible(new URL(entry.originalSource, `file://${file}`).pathname, entry.originalLine + 1);
}

const pathOf = (where: string): string =>
  where.startsWith('file:') ? fileURLToPath(where.replace(/\?[^/]*$/, '')) : where.replace(/\?[^/]*$/, '');

function visible(path: string, line: number): string | null {
  if (path.startsWith(SOURCES) ? OWN.test(path.slice(SOURCES.length)) : path.includes('/node_modules/')) return null;
  return `${path.slice(path.lastIndexOf('/') + 1)}:${line}`;
}

/** @returns null where there is none */
function mapOf(file: string): SourceMap | null {
  let map = maps.get(file);
  if (map === undefined) {
    map = readMap(`${file}.map`);
    maps.set(file, map);
  }
  return map;
}

function readMap(path: string): SourceMap | null {
  try {
    return new SourceMap(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}
