/**
 * zones.ts — zones of the slab allocator, and maps of what is where, a letter an item.
 *
 *   *  allocated      .  on LChunks, or on the slab's free list      r  on RChunks
 *   -  never used     b  in an open batch, or in a bucket
 */
import {
  SLZONE, Z_BASEPTR, Z_CHUNKSIZE, Z_CPU, Z_LISTED, Z_NFREE, Z_NMAX, Z_ZONEINDEX,
} from '../../dragonfly/slaballoc.layout.js';
import type { Memory } from '../memory.js';
import { dumpStruct } from '../panic_report.js';
import { peek } from '../peek.js';
import { batchedChunks, freeChunks, kmemusage, walkPages, zoneAround, zoneChunks } from '../walk_slab.js';
import { columns, hex, wrong } from './command.js';

const WIDTHS = [12, 4, 5, 6, 5, 6, 8, 6, 6];
const MAP_COLUMNS = 64;

export function drawMap(letters: readonly string[]): string[] {
  const lines: string[] = [];
  for (let at = 0; at < letters.length; at += MAP_COLUMNS) {
    lines.push(`  ${String(at).padStart(5)}  ${letters.slice(at, at + MAP_COLUMNS).join('')}`);
  }
  return lines;
}

function zoneLetters(memory: Memory, z: number, batched: ReadonlySet<number>): string[] {
  const { local, remote, fresh } = freeChunks(memory, z);
  const letter = new Map<number, string>();
  for (const chunk of local) letter.set(chunk, '.');
  for (const chunk of remote) letter.set(chunk, 'r');
  const base = peek(memory, z, Z_BASEPTR);
  return Array.from({ length: zoneChunks(memory, z) }, (_, n) => {
    const chunk = base + n * peek(memory, z, Z_CHUNKSIZE);
    return fresh.has(n) ? '-' : (letter.get(chunk) ?? (batched.has(chunk) ? 'b' : '*'));
  });
}

function zoneRow(memory: Memory, z: number, batched: ReadonlySet<number>): string {
  const w = (field: number) => peek(memory, z, field);
  const letters = zoneLetters(memory, z, batched);
  const count = (which: string) => letters.filter((letter) => letter === which).length;
  return columns(WIDTHS, [
    hex(z), w(Z_CPU), w(Z_ZONEINDEX), w(Z_CHUNKSIZE), w(Z_NMAX), w(Z_NFREE), count('r') + count('b'), count('*'),
    w(Z_LISTED) === 0 ? 'no' : 'yes',
  ]);
}

export function listZones(memory: Memory): string[] {
  const batched = batchedChunks(memory);
  return [
    columns(WIDTHS, ['SLZone', 'CPU', 'Index', 'Size', 'NMax', 'NFree', 'Homeward', 'Used', 'Listed']),
    ...walkPages(memory).zones.map((z) => zoneRow(memory, z, batched)),
  ];
}

/** The SLZone an address lies in: its words, and the map of its chunks. */
export function slabZone(memory: Memory, command: string, address: number): string[] {
  const z = zoneAround(memory, address);
  if (z !== 0) return [...dumpStruct(memory, SLZONE, z), ...drawMap(zoneLetters(memory, z, batchedChunks(memory)))];
  const pages = kmemusage(memory, address >>> 12);
  if (pages > 0) return [`block ${hex(address & -4096)}, ${pages} pages: beyond the zones`];
  throw wrong(`${command}: ${hex(address)} is in no zone; show zone lists them`);
}
