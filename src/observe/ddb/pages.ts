/** pages.ts — `show page`, `show freepages`: the page array and its free queues. */
import { PAGE_SHIFT, PAGE_SIZE } from '../../base/param.js';
import { SB_FIRST_PAGE, SB_NPAGES, SB_PGA, SB_VM } from '../../hw/superblock.layout.js';
import * as PG from '../../vm/vm_page.layout.js';
import type { Memory } from '../memory.js';
import { symbols } from '../symbols.js';
import { kmemusage } from '../walk_slab.js';
import { addressOf, type DdbCommand, hex, noMore } from './command.js';

const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [PG.PG_DIRTY, 'dirty'], [PG.PG_SLAB, 'slab'], [PG.PG_BUCKET, 'bucket'],
];

function usage(ku: number): string {
  if (ku > 0) return `${ku} (a block of ${ku} pages begins here)`;
  return ku < 0 ? `${ku} (a zone of cpu${-ku - 1})` : '0';
}

function showPage(memory: Memory, address: number): string[] {
  const page = address >>> PAGE_SHIFT;
  const at = (memory.sb(SB_PGA) >>> 2) + page * PG.PG_WORDS;
  const [next, prev, order, flags] = [PG.PG_NEXT, PG.PG_PREV, PG.PG_ORDER, PG.PG_FLAGS].map((n) => memory.i32[at + n]!);
  const names = FLAGS.filter(([bit]) => (flags! & bit) !== 0).map(([, name]) => name);
  const image = page < memory.sb(SB_FIRST_PAGE);
  const head = order! > 0 ? `head of a free block of order ${order! - 1}` : 'allocated, or inside a free block';
  return [
    `page ${page} of ${memory.sb(SB_NPAGES)}, ${hex(page * PAGE_SIZE)} to ${hex((page + 1) * PAGE_SIZE)}`,
    `  what       ${symbols(memory).place(address >>> 2)}`,
    `  state      ${image ? "part of the kernel's image" : head}`,
    `  flags      ${hex(flags!)}${names.length > 0 ? ` (${names.join(', ')})` : ''}`,
    (flags! & PG.PG_SLAB) !== 0 ? `  slab       ${hex(next!)}` : `  queue      next ${next}, prev ${prev}`,
    `  kmemusage  ${usage(kmemusage(memory, page))}`,
  ];
}

export const SHOW_PAGE: DdbCommand = {
  name: 'show page', args: 'ADDR', doc: 'the page of an address: its state, its slab, its use',
  run(memory, args) {
    noMore('show page', args, 1);
    return showPage(memory, addressOf(memory, 'show page', args[0]));
  },
};

function showFreepages(memory: Memory): string[] {
  const vm = memory.sb(SB_VM) >>> 2;
  const lines = [
    'FREE LIST 0:', '', '  ORDER (SIZE)  |  NUMBER', '                |  POOL 0', '--            -- --      --',
  ];
  for (let order = PG.VM_NFREEORDER - 1; order >= 0; order--) {
    const count = memory.i32[vm + PG.VM_FREE_QUEUES + order * PG.FQ_WORDS + PG.FQ_COUNT]!;
    const kib = (PAGE_SIZE / 1024) << order;
    lines.push(`  ${pad(order, 2)} (${pad(kib, 6)}K)  |  ${pad(count, 6)}`);
  }
  const at = (word: number) => memory.i32[vm + word]!;
  lines.push(
    '', `free ${at(PG.VM_FREE_COUNT)} pages, wired ${at(PG.VM_WIRE_COUNT)}, most ever ${at(PG.VM_WIRE_PEAK)}, ` +
    `CPUs waiting ${at(PG.VM_WAITERS)}`,
  );
  return lines;
}

/** %2.2d */
function pad(value: number, digits: number): string {
  return (value < 0 ? '-' : '') + String(Math.abs(value)).padStart(digits, '0');
}

export const SHOW_FREEPAGES: DdbCommand = {
  name: 'show freepages', args: '', doc: 'free blocks of each order',
  run(memory, args) {
    noMore('show freepages', args, 0);
    return showFreepages(memory);
  },
};
