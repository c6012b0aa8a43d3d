/**
 * malloc_text.ts — the texts sysctl kern.malloc and kern.mprof printed (FreeBSD sys/kern/kern_malloc.c).
 *
 * kern.malloc kept its syntax in 2005, when statistics went to the CPUs: where the high watermark had stood, nobody
 * keeps one any more, is a '-'. On a machine that counts under a mutex the row is that of before, with its HighUse.
 * Sums are clamped: nothing is shown below zero (R4).
 */
import { KMEM_ZMAX, KMEM_ZONES, KMEM_ZSHIFT } from '../freebsd/malloc.js';
import { SB_MPROF } from '../hw/superblock.layout.js';
import { MP_LARGEST, MP_REQUESTS, MP_WORDS } from '../kern/malloc_profile.layout.js';
import { clamped, mallocCount, mallocTypeStats, sumStats, type TypeStats } from './malloc_types.js';
import type { Memory } from './memory.js';
import { peek, peek64 } from './peek.js';
import { sized } from './stream.js';
import { isFreebsd } from './walk_uma.js';

/** Bytes as the kernel rounds them to K. */
export function kilobytes(bytes: bigint): bigint {
  return (bytes + 1023n) / 1024n;
}

/** kern.malloc */
export function mallocText(memory: Memory): string {
  const types = sized(() => mallocCount(memory), () => mallocTypeStats(memory));
  const rows = types.map(mallocRow).filter((row) => row !== '');
  return `\n        Type  InUse MemUse HighUse Requests  Size(s)\n${rows.join('')}\n`;
}

/** `%13s%6lu%6luK       -%9llu`, and the sizes; '' for a type nobody has allocated of. */
function mallocRow({ name, cpus, maxused }: TypeStats): string {
  const { memalloced, memfreed, numallocs, numfrees, size } = sumStats(cpus);
  if (numallocs === 0n) return '';
  const inuse = String(clamped(numallocs - numfrees)).padStart(6);
  const memuse = `${kilobytes(BigInt(clamped(memalloced - memfreed)))}K`.padStart(7);
  const highuse = maxused === null ? '-' : `${kilobytes(maxused)}K`;
  const sizes = KMEM_ZONES.filter((_, bit) => (size >> BigInt(bit)) & 1n);
  const requests = String(numallocs).padStart(9);
  return `${name.padStart(13)}${inuse}${memuse}${highuse.padStart(8)}${requests}${sizesText(sizes)}\n`;
}

/** Two blanks before the first, a comma before every other. */
function sizesText(sizes: readonly number[]): string {
  return sizes.length === 0 ? '' : `  ${sizes.join(',')}`;
}

/**
 * kern.mprof: requests by size, and what they got. The kernel's table ends before 4096, and its waste is an estimate
 * from the sizes rounded to 16; observe/malloc_profile.ts knows the bytes that were asked for.
 */
export function mprofText(memory: Memory): string {
  let text = '\n  Size                    Requests  Real Size\n';
  let used = 0n;
  let waste = 0n;
  for (let row = 0; row < KMEM_ZMAX >> KMEM_ZSHIFT; row++) {
    const size = row << KMEM_ZSHIFT;
    const at = memory.sb(SB_MPROF) + row * MP_WORDS * 4;
    const requests = peek64(memory, at, MP_REQUESTS);
    const real = isFreebsd(memory) ? KMEM_ZONES.find((zone) => size <= zone)! : peek(memory, at, MP_LARGEST) >>> 0;
    used += BigInt(real) * requests;
    waste += BigInt(real - size) * requests;
    text += `${String(size).padStart(6)}${String(requests).padStart(28)}${String(real).padStart(11)}\n`;
  }
  const total = (what: string, bytes: bigint) => `${what}:\t${String(bytes).padStart(30)}\n`;
  return `${text}\n${total('Total memory used', used)}${total('Total Memory wasted', waste)}`;
}
