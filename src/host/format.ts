/** format.ts — writes the superblock: after this the memory is a machine that has not been switched on. */
import { defectBits } from '../base/defects.js';
import { ALLOC_NAMES, FREE_NAMES, MTX_NAMES, STATS_NAMES } from '../base/policy.js';
import { zoneSizeFor } from '../dragonfly/malloc.js';
import * as SB from '../hw/superblock.layout.js';
import { TUNABLES } from '../kern/sysctl.js';
import { geometry } from './geometry.js';
import { type Configuration, signalNumber } from './options.js';

/** @returns fresh physical memory; untouched pages cost nothing */
export function format(c: Configuration): SharedArrayBuffer {
  const ncpu = c.cpus + c.attach;
  const heap = new SharedArrayBuffer(c.memory);
  const g = geometry(ncpu, c.memory, c.ktr, c.fifo);
  const words: Record<number, number> = {
    [SB.SB_VERSION]: SB.SUPERBLOCK_VERSION,
    [SB.SB_NPAGES]: g.npages,
    [SB.SB_NCPU]: ncpu,
    [SB.SB_NHOSTCPU]: c.cpus,
    [SB.SB_STATS]: STATS_NAMES.indexOf(c.stats),
    [SB.SB_FREE]: FREE_NAMES.indexOf(c.free),
    [SB.SB_MUTEX]: MTX_NAMES.indexOf(c.mutex),
    [SB.SB_SIGNAL]: signalNumber(c.signalDelay),
    [SB.SB_SEED]: c.seed | 0,
    [SB.SB_INVARIANTS]: c.invariants ? 1 : 0,
    [SB.SB_KTR_ENTRIES]: c.ktr,
    [SB.SB_IPIQ_FIFO]: g.fifo,
    [SB.SB_ZONE_SIZE]: zoneSizeFor(c.memory),
    [SB.SB_ALLOC]: ALLOC_NAMES.indexOf(c.alloc),
    [SB.SB_INTR]: g.intr,
    [SB.SB_GD]: g.gd,
    [SB.SB_IPIQ]: g.ipiq,
    [SB.SB_KTR]: g.ktr,
    [SB.SB_VM]: g.vm,
    [SB.SB_PGA]: g.pga,
    [SB.SB_KMU]: g.kmu,
    [SB.SB_SLGD]: g.slgd,
    [SB.SB_ZINDEX]: g.zindex,
    [SB.SB_MALLOC]: g.malloc,
    [SB.SB_FIRST_PAGE]: g.firstPage,
    [SB.SB_UMA]: g.uma,
    [SB.SB_MSGBUF]: g.msgbuf,
    [SB.SB_MPROF]: g.mprof,
  };
  for (const [name, value] of Object.entries(c.tunables)) words[TUNABLES[name]!.word] = value;
  const i32 = new Int32Array(heap);
  for (const [word, value] of Object.entries(words)) i32[Number(word)] = value;
  i32.set(defectBits(c.defects), SB.SB_DEFECTS);
  i32[SB.SB_MAGIC] = SB.SUPERBLOCK_MAGIC;
  return heap;
}
