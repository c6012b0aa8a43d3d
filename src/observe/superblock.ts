/**
 * superblock.ts — may these bytes be read as a machine's memory?
 *
 * Every reader takes sizes and places from the superblock, so they are checked once, when the memory is opened: after
 * that an index computed from them lies inside the memory. What lies there may still be anything.
 */
import { LINE_BYTES, MAXCPU, MAXMEM, PAGE_SHIFT, PAGE_SIZE } from '../base/param.js';
import { ALLOC_NAMES, FREE_NAMES, MTX_NAMES, STATS_NAMES } from '../base/policy.js';
import { SLGLOBALDATA, ZINDEX_BYTES } from '../dragonfly/slaballoc.layout.js';
import { UMA_AREA_BYTES } from '../freebsd/kern_malloc.layout.js';
import { INTR_WORDS } from '../hw/intr.layout.js';
import * as SB from '../hw/superblock.layout.js';
import { GD_WORDS } from '../kern/globaldata.layout.js';
import { KTR_WORDS } from '../kern/ktr.layout.js';
import { ipiqBytes } from '../kern/lwkt_ipiq.layout.js';
import { MPROF_WORDS } from '../kern/malloc_profile.layout.js';
import { KM_WORDS, MAXTYPES, mallocTypeBytes } from '../kern/malloc_type.layout.js';
import { MSGBUF_WORDS } from '../kern/msgbuf.layout.js';
import { PG_WORDS, VM_WORDS } from '../vm/vm_page.layout.js';

interface Extent {
  readonly name: string;
  readonly start: number;
  readonly bytes: number;
}

/** @returns what is wrong with them, '' when nothing is */
export function superblockFault(heap: SharedArrayBuffer | ArrayBuffer): string {
  const bytes = heap.byteLength;
  if (bytes < PAGE_SIZE || bytes > MAXMEM || bytes % PAGE_SIZE !== 0) {
    return `this is not the memory of a machine: ${bytes} bytes are no whole number of pages`;
  }
  const i32 = new Int32Array(heap);
  if (i32[SB.SB_MAGIC] !== SB.SUPERBLOCK_MAGIC || !within(i32[SB.SB_NCPU]!, 1, MAXCPU)) {
    return 'this is not the memory of a machine: the superblock magic is wrong';
  }
  const version = i32[SB.SB_VERSION]!;
  if (version !== SB.SUPERBLOCK_VERSION) {
    const which = version > SB.SUPERBLOCK_VERSION ? 'a newer' : 'an older';
    return `machine memory of version ${version}, of ${which} smpalloc; this one reads ${SB.SUPERBLOCK_VERSION}`;
  }
  const wrong = numberFault(i32, bytes) || extentFault(extents(i32), i32[SB.SB_FIRST_PAGE]! * PAGE_SIZE);
  return wrong && `the superblock is damaged: ${wrong}`;
}

function within(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}

/** Counts, sizes and policies. */
function numberFault(i32: Int32Array, bytes: number): string {
  const npages = bytes >>> PAGE_SHIFT;
  const ranges: readonly (readonly [name: string, word: number, low: number, high: number])[] = [
    ['SB_NPAGES', SB.SB_NPAGES, npages, npages], ['SB_NHOSTCPU', SB.SB_NHOSTCPU, 0, i32[SB.SB_NCPU]!],
    ['SB_ALLOC', SB.SB_ALLOC, 0, ALLOC_NAMES.length - 1], ['SB_STATS', SB.SB_STATS, 0, STATS_NAMES.length - 1],
    ['SB_FREE', SB.SB_FREE, 0, FREE_NAMES.length - 1], ['SB_MUTEX', SB.SB_MUTEX, 0, MTX_NAMES.length - 1],
    ['SB_INVARIANTS', SB.SB_INVARIANTS, 0, 1], ['SB_KTR_ENTRIES', SB.SB_KTR_ENTRIES, 0, 1 << 20],
    ['SB_IPIQ_FIFO', SB.SB_IPIQ_FIFO, 1, 1 << 16], ['SB_ZONE_SIZE', SB.SB_ZONE_SIZE, PAGE_SIZE, 1 << 24],
    ['SB_FIRST_PAGE', SB.SB_FIRST_PAGE, 1, npages],
  ];
  for (const [name, word, low, high] of ranges) {
    if (!within(i32[word]!, low, high)) return `${name} is ${i32[word]}, expected ${low} to ${high}`;
  }
  for (const [name, word] of [['SB_IPIQ_FIFO', SB.SB_IPIQ_FIFO], ['SB_ZONE_SIZE', SB.SB_ZONE_SIZE]] as const) {
    if ((i32[word]! & (i32[word]! - 1)) !== 0) return `${name} is ${i32[word]}, expected a power of two`;
  }
  return '';
}

function extents(i32: Int32Array): Extent[] {
  const ncpu = i32[SB.SB_NCPU]!;
  const npages = i32[SB.SB_NPAGES]!;
  const sizes: Readonly<Record<string, readonly [word: number, bytes: number]>> = {
    SB_INTR: [SB.SB_INTR, ncpu * INTR_WORDS * 4],
    SB_GD: [SB.SB_GD, ncpu * GD_WORDS * 4],
    SB_SLGD: [SB.SB_SLGD, ncpu * SLGLOBALDATA.words * 4],
    SB_VM: [SB.SB_VM, VM_WORDS * 4],
    SB_ZINDEX: [SB.SB_ZINDEX, ZINDEX_BYTES],
    SB_UMA: [SB.SB_UMA, UMA_AREA_BYTES],
    SB_MSGBUF: [SB.SB_MSGBUF, MSGBUF_WORDS * 4],
    SB_MPROF: [SB.SB_MPROF, MPROF_WORDS * 4],
    SB_MALLOC: [SB.SB_MALLOC, KM_WORDS * 4 + MAXTYPES * mallocTypeBytes(ncpu)],
    SB_IPIQ: [SB.SB_IPIQ, ncpu * ncpu * ipiqBytes(i32[SB.SB_IPIQ_FIFO]!)],
    SB_KTR: [SB.SB_KTR, ncpu * i32[SB.SB_KTR_ENTRIES]! * KTR_WORDS * 4],
    SB_KMU: [SB.SB_KMU, npages * 4],
    SB_PGA: [SB.SB_PGA, npages * PG_WORDS * 4],
  };
  return Object.entries(sizes).map(([name, [word, bytes]]) => ({ name, start: i32[word]!, bytes }));
}

/** Areas begin on lines behind page 0, one behind the other, and end before the pages that are handed out. */
function extentFault(areas: readonly Extent[], end: number): string {
  let before: Extent = { name: 'the superblock', start: 0, bytes: PAGE_SIZE };
  for (const area of [...areas].sort((a, b) => a.start - b.start || a.bytes - b.bytes)) {
    const { name, start, bytes } = area;
    if (start % LINE_BYTES !== 0) return `${name} is ${start}, expected a multiple of ${LINE_BYTES}`;
    if (start < before.start + before.bytes) return `${name} is ${start}, which is inside ${before.name}`;
    if (start + bytes > end) return `${name} is ${start}, and its ${bytes} bytes end behind the first page, ${end}`;
    before = area;
  }
  return '';
}
