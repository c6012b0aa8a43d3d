/**
 * memory.ts — a machine's memory seen from outside: the host, an observer, a core dump.
 *
 * Views of its own, so that any number of machines can be read in one isolate. Reading stops nobody and takes no lock:
 * numbers of a running machine may be a moment apart.
 */
import { SmpallocError } from '../base/errors.js';
import { MAXCPU } from '../base/param.js';
import { SLGLOBALDATA } from '../dragonfly/slaballoc.layout.js';
import { SL_COUNTERS } from '../dragonfly/sysctl.js';
import {
  SB_GD, SB_MAGIC, SB_NCPU, SB_SLGD, SB_VERSION, SUPERBLOCK_MAGIC, SUPERBLOCK_VERSION,
} from '../hw/superblock.layout.js';
import { GD_WORDS } from '../kern/globaldata.layout.js';
import { GD_COUNTERS, TUNABLES } from '../kern/sysctl.js';

export class Memory {
  readonly heap: SharedArrayBuffer | ArrayBuffer;
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly i64: BigInt64Array;
  readonly f64: Float64Array;

  /** @throws SmpallocError ESMP_INPUT when these bytes are no machine */
  constructor(heap: SharedArrayBuffer | ArrayBuffer) {
    this.heap = heap;
    this.i32 = new Int32Array(heap);
    this.u8 = new Uint8Array(heap);
    this.i64 = new BigInt64Array(heap);
    this.f64 = new Float64Array(heap);
    const version = this.i32[SB_VERSION];
    const ncpu = this.i32[SB_NCPU]!;
    if (this.i32[SB_MAGIC] !== SUPERBLOCK_MAGIC || ncpu < 1 || ncpu > MAXCPU) {
      throw new SmpallocError('ESMP_INPUT', 'this is not the memory of a machine: the superblock magic is wrong');
    }
    if (version !== SUPERBLOCK_VERSION) {
      throw new SmpallocError('ESMP_INPUT', `machine memory of version ${version}; this smpalloc reads 1`);
    }
  }

  get ncpu(): number {
    return this.i32[SB_NCPU]!;
  }

  /** A word of the superblock. @param word SB_* */
  sb(word: number): number {
    return this.i32[word]!;
  }

  /** Word index of a CPU's globaldata. */
  gd(cpu: number): number {
    return (this.i32[SB_GD]! >>> 2) + cpu * GD_WORDS;
  }

  /** Word index of a CPU's SLGlobalData. */
  slgd(cpu: number): number {
    return (this.i32[SB_SLGD]! >>> 2) + cpu * SLGLOBALDATA.words;
  }

  /**
   * A variable by name: a tunable, or a counter summed over CPUs.
   * @param cpu only this CPU's share of a counter
   * @throws SmpallocError ESMP_OPTION naming the variables there are
   */
  sysctl(name: string, cpu?: number): number {
    const tunable = TUNABLES[name];
    if (tunable) return this.i32[tunable.word]!;
    const [base, offset] = this.#counter(name);
    if (cpu !== undefined) return this.f64[(base(cpu) + offset) >>> 1]!;
    let sum = 0;
    for (let n = 0; n < this.ncpu; n++) sum += this.f64[(base(n) + offset) >>> 1]!;
    return sum;
  }

  #counter(name: string): [(cpu: number) => number, number] {
    const gd = GD_COUNTERS[name];
    if (gd !== undefined) return [(cpu) => this.gd(cpu), gd];
    const sl = SL_COUNTERS[name];
    if (sl !== undefined) return [(cpu) => this.slgd(cpu), sl];
    throw new SmpallocError('ESMP_OPTION', `no variable '${name}'; there are ${sysctlNames().join(', ')}`);
  }
}

/** Names sysctl answers to. */
export function sysctlNames(): string[] {
  return [...Object.keys(TUNABLES), ...Object.keys(GD_COUNTERS), ...Object.keys(SL_COUNTERS)].sort();
}
