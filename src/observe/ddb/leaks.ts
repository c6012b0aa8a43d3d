/**
 * leaks.ts — `leaks`: who holds memory. The kernel keeps no list of blocks; they are found by elimination.
 *
 *   by type   the types' statistics: exact, but no addresses
 *   by size   the walk (live_blocks.ts): every address, but no type
 *   by event  with ktr on, the newest event about an address says who allocated it, when, and as what
 */
import { didYouMean } from '../../base/nearest.js';
import { SB_KTR_ENTRIES } from '../../hw/superblock.layout.js';
import type { Memory } from '../memory.js';
import type { Block } from '../walk_slab.js';
import { columns, type DdbCommand, hex, noMore, wrong } from './command.js';
import { liveBlocks } from './live_blocks.js';
import { typeRows } from './malloc.js';
import { origins } from './origins.js';

const TYPES = [18, 10, 12, 12];
const GROUPS = [18, 6, 10, 10, 12, -14];

function byType(memory: Memory): string[] {
  const rows = typeRows(memory).filter(({ inuse }) => inuse !== 0n);
  return [
    columns(TYPES, ['Type', 'InUse', 'Bytes', 'Requests']),
    ...rows.map(({ name, inuse, memuse, requests }) => columns(TYPES, [name, inuse, memuse, requests])),
    ...(rows.length === 0 ? ['  no type has memory in use'] : []),
  ];
}

interface Group {
  readonly cells: readonly (string | number)[];
  count: number;
  bytes: number;
  example: number;
}

/** Groups of blocks, the heaviest first. */
function grouped(blocks: readonly Block[], cellsOf: (block: Block) => (string | number)[]): Group[] {
  const groups = new Map<string, Group>();
  for (const block of blocks) {
    const cells = cellsOf(block);
    const key = cells.join(' ');
    const group = groups.get(key) ?? { cells, count: 0, bytes: 0, example: block.address };
    group.count++;
    group.bytes += block.bytes;
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.bytes - a.bytes);
}

function bySize(blocks: readonly Block[]): string[] {
  const widths = [18, 10, 12, -14];
  return [
    columns(widths, ['Size', 'Blocks', 'Bytes', 'Example']),
    ...grouped(blocks, ({ bytes }) => [bytes]).map(({ cells, count, bytes, example }) =>
      columns(widths, [cells[0]!, count, bytes, hex(example)])),
  ];
}

function byEvent(memory: Memory, blocks: readonly Block[]): string[] {
  if (memory.sb(SB_KTR_ENTRIES) === 0) return ['boot with the option ktr to see who allocated them'];
  const known = origins(memory);
  const rows = grouped(blocks, ({ address, bytes }) => {
    const origin = known.get(address);
    return origin ? [origin.type, `cpu${origin.cpu}`, origin.size] : ['older than ktr', '', bytes];
  });
  return [
    columns(GROUPS, ['Allocated as', 'CPU', 'Size', 'Blocks', 'Bytes', 'Example']),
    ...rows.map(({ cells, count, bytes, example }) => columns(GROUPS, [...cells, count, bytes, hex(example)])),
  ];
}

function summary(memory: Memory): string[] {
  const blocks = liveBlocks(memory);
  const bytes = blocks.reduce((sum, block) => sum + block.bytes, 0);
  const found = `walk: ${blocks.length} live blocks, ${bytes} bytes`;
  if (blocks.length === 0) return [...byType(memory), '', found];
  return [...byType(memory), '', found, ...bySize(blocks), '', ...byEvent(memory, blocks)];
}

const MOST_LISTED = 1000;

/** Every live block whose last event says it is of this type. */
function ofType(memory: Memory, name: string): string[] {
  const names = typeRows(memory).map((type) => type.name);
  if (!names.includes(name)) {
    const there = names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`;
    throw wrong(`leaks: no malloc type '${name}'; ${didYouMean(name, names)}${there}`);
  }
  if (memory.sb(SB_KTR_ENTRIES) === 0) return ['ktr is off: no block says its type'];
  const known = origins(memory);
  const mine = liveBlocks(memory).filter(({ address }) => known.get(address)?.type === name);
  const widths = [-12, 10, 6, 14];
  return [
    columns(widths, ['Address', 'Size', 'CPU', 'at µs']),
    ...mine.slice(0, MOST_LISTED).map(({ address }) => {
      const { size, cpu, time } = known.get(address)!;
      return columns(widths, [hex(address), size, `cpu${cpu}`, time >>> 0]);
    }),
    ...(mine.length > MOST_LISTED ? [`and ${mine.length - MOST_LISTED} more`] : []),
  ];
}

export const LEAKS: DdbCommand = {
  name: 'leaks', args: '[TYPE]', doc: 'live blocks by type, by size, and by their last ktr event; of a type: each',
  run(memory, args) {
    noMore('leaks', args, 1);
    return args[0] === undefined ? summary(memory) : ofType(memory, args[0]);
  },
};
