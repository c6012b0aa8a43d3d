/**
 * geometry.ts — where everything lies in a machine's memory; pure arithmetic, no memory touched.
 *
 *   0          superblock, one page
 *   intr       interrupt lines               2 lines a CPU
 *   gd         globaldata                    36 lines a CPU
 *   slgd       slab allocator, per CPU       77 lines a CPU
 *   vm         page allocator                5 lines
 *   zindex     table of classes              2 KiB
 *   uma        UMA's and malloc(9)'s words   12 lines
 *   msgbuf     what the kernel printed       65 lines
 *   mprof      MALLOC_PROFILE                32 KiB
 *   malloc     malloc types                  MAXTYPES records
 *   ipiq       message FIFOs                 one an ordered pair of CPUs
 *   ktr        event rings                   one a CPU
 *   kmu        kmemusage                     4 bytes a page
 *   pga        page array                    16 bytes a page
 *   first page everything from here on belongs to the page allocator
 */
import { log2Floor } from '../base/bits.js';
import { LINE_BYTES, PAGE_SHIFT, PAGE_SIZE } from '../base/param.js';
import { SLGLOBALDATA, ZINDEX_BYTES } from '../dragonfly/slaballoc.layout.js';
import { UMA_AREA_BYTES } from '../freebsd/kern_malloc.layout.js';
import { INTR_WORDS } from '../hw/intr.layout.js';
import { GD_WORDS } from '../kern/globaldata.layout.js';
import { KTR_WORDS } from '../kern/ktr.layout.js';
import { ipiqBytes } from '../kern/lwkt_ipiq.layout.js';
import { MPROF_WORDS } from '../kern/malloc_profile.layout.js';
import { MSGBUF_WORDS } from '../kern/msgbuf.layout.js';
import { KM_WORDS, MAXTYPES, mallocTypeBytes } from '../kern/malloc_type.layout.js';
import { PG_WORDS, VM_WORDS } from '../vm/vm_page.layout.js';

export interface Geometry {
  readonly intr: number;
  readonly gd: number;
  readonly slgd: number;
  readonly vm: number;
  readonly zindex: number;
  readonly uma: number;
  readonly msgbuf: number;
  readonly mprof: number;
  readonly malloc: number;
  readonly ipiq: number;
  readonly ktr: number;
  readonly kmu: number;
  readonly pga: number;
  readonly firstPage: number;
  readonly npages: number;
  /** messages a FIFO */
  readonly fifo: number;
}

/** FIFO slots: 256 while the FIFOs together stay below 1/32 of memory, never under 16. */
function fifoFor(ncpu: number, memory: number): number {
  const most = memory / 32 / (ncpu * ncpu) / 16;
  return Math.min(256, Math.max(16, 1 << log2Floor(Math.max(16, most))));
}

/**
 * @param ncpu virtual CPUs
 * @param memory bytes, a multiple of the page size
 * @param ktrEntries events a ring
 * @param wantedFifo messages a FIFO, a power of two; null: what the memory allows
 */
export function geometry(
  ncpu: number,
  memory: number,
  ktrEntries: number,
  wantedFifo: number | null = null,
): Geometry {
  const npages = memory >>> PAGE_SHIFT;
  const fifo = wantedFifo ?? fifoFor(ncpu, memory);
  let next = PAGE_SIZE;
  const area = (bytes: number, align = LINE_BYTES): number => {
    // not roundUp: rings may be asked for that would end beyond 2^32, where it wraps
    const start = Math.ceil(next / align) * align;
    next = start + bytes;
    return start;
  };
  const places = {
    intr: area(ncpu * INTR_WORDS * 4),
    gd: area(ncpu * GD_WORDS * 4),
    slgd: area(ncpu * SLGLOBALDATA.words * 4),
    vm: area(VM_WORDS * 4),
    zindex: area(ZINDEX_BYTES),
    uma: area(UMA_AREA_BYTES),
    msgbuf: area(MSGBUF_WORDS * 4),
    mprof: area(MPROF_WORDS * 4),
    malloc: area(KM_WORDS * 4 + MAXTYPES * mallocTypeBytes(ncpu)),
    ipiq: area(ncpu * ncpu * ipiqBytes(fifo)),
    ktr: area(ncpu * ktrEntries * KTR_WORDS * 4),
    kmu: area(npages * 4),
    pga: area(npages * PG_WORDS * 4),
  };
  return { ...places, firstPage: Math.ceil(next / PAGE_SIZE), npages, fifo };
}
