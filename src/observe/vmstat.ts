/**
 * vmstat.ts — what `vmstat -m` and `vmstat -z` print, of either kernel.
 *
 * FreeBSD's rows come from libmemstat's lists and are not clamped (R5). DragonFly's -m sums over CPUs, has the limit of
 * each type and shows nothing below zero; its -z has a row a class of chunks. What an allocator does not count is '-'.
 */
import { clamped } from './malloc_types.js';
import { kilobytes } from './malloc_text.js';
import { type MemoryType, u64 } from './memstat/type.js';
import type { SlabClass } from './slab_classes.js';

const pad = (value: string | number | bigint, width: number): string => String(value).padStart(width);

// ---- FreeBSD, usr.bin/vmstat/vmstat.c of 2005

/** vmstat -m. Types that never had anything are left out. */
export function vmstatM(types: readonly MemoryType[]): string {
  const head = `${pad('Type', 13)} ${pad('InUse', 5)} ${pad('MemUse', 6)} ${pad('HighUse', 7)} ${pad('Requests', 8)}`;
  return [`${head}  Size(s)`, ...types.filter(({ numallocs, count }) => numallocs !== 0n || count !== 0n).map(rowM), '']
    .join('\n');
}

function rowM({ name, count, bytes, numallocs, sizemask }: MemoryType): string {
  const sizes = Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => (sizemask >> BigInt(bit)) & 1n);
  const row = `${pad(name, 13)} ${pad(count, 5)} ${pad(kilobytes(bytes), 5)}K ${pad('-', 7)} ${pad(numallocs, 8)}  `;
  return row + sizes.map((bit) => 2 ** (bit + 4)).join(',');
}

/** vmstat -z */
export function vmstatZ(zones: readonly MemoryType[]): string {
  const head = `${'ITEM'.padEnd(20)} ${pad('SIZE', 6)} ${pad('LIMIT', 6)} ${pad('USED', 8)} ${pad('FREE', 8)} ` +
    `${pad('REQ', 8)} ${pad('FAIL', 4)} ${pad('SLEEP', 4)}`;
  const rows = zones.map((z) =>
    `${`${z.name}:`.padEnd(20)} ${pad(z.size, 6)}, ${pad(z.countlimit, 6)},${pad(z.count, 8)},${pad(z.free, 8)},` +
    `${pad(z.numallocs, 8)},${pad(z.failures, 4)},${pad(z.sleeps, 4)}`);
  return [head, '', ...rows, ''].join('\n');
}

// ---- DragonFly

/** @param limits bytes a type may have in use, by name */
export function dragonflyM(types: readonly MemoryType[], limits: Readonly<Record<string, number>>): string {
  const head = [pad('Type', 20), pad('InUse', 8), pad('MemUse', 9), pad('Limit', 9), pad('Requests', 10)].join(' ');
  const rows = types.filter(({ numallocs }) => numallocs !== 0n).map(({ name, memalloced, memfreed, ...type }) => {
    const limit = limits[name] ?? 0;
    return [
      pad(name, 20), pad(clamped(type.numallocs - type.numfrees), 8),
      pad(`${kilobytes(BigInt(clamped(memalloced - memfreed)))}K`, 9),
      pad(limit === 0 ? '-' : `${kilobytes(BigInt(limit))}K`, 9), pad(type.numallocs, 10),
    ].join(' ');
  });
  return [`${head}  Size(s)`, ...rows.map((row) => `${row}  -`), ''].join('\n');
}

export function dragonflyZ(classes: readonly SlabClass[]): string {
  const columns = (cells: readonly (string | number)[]) =>
    `${String(cells[0]).padEnd(16)} ${[6, 8, 8, 8, 9].map((width, n) => pad(cells[n + 1]!, width)).join(' ')}`;
  const rows = classes.map(({ size, used, free }) => columns([`${size}:`, size, '-', used, free, '-']));
  return [columns(['ITEM', 'SIZE', 'LIMIT', 'USED', 'FREE', 'REQUESTS']), '', ...rows, ''].join('\n');
}

// ---- the same as data

export function typeJson(type: MemoryType): Record<string, unknown> {
  const { name, count, bytes, numallocs, numfrees, memalloced, memfreed, sizemask } = type;
  return { name, ...numbers({ count, bytes, numallocs, numfrees, memalloced, memfreed, sizemask }) };
}

export function zoneJson(zone: MemoryType): Record<string, unknown> {
  const { name, size, countlimit, count, free, numallocs, numfrees, failures, sleeps, zonefree, kegfree } = zone;
  const items = { size, countlimit, count, free, zonefree, kegfree };
  return { name, ...numbers({ ...items, numallocs, numfrees, failures, sleeps }) };
}

/** JSON has no u64: what a double cannot hold exactly is text. */
function numbers(values: Readonly<Record<string, bigint>>): Record<string, number | string> {
  const exact = (value: bigint) => (value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(u64(value)));
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, exact(value)]));
}
