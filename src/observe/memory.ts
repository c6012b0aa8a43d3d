/**
 * memory.ts — a machine's memory seen from outside: the host, an observer, a core dump.
 *
 * Views of its own, so that any number of machines can be read in one isolate. Reading stops nobody and takes no lock:
 * numbers of a running machine may be a moment apart.
 */
import { SmpallocError } from '../base/errors.js';
import { SLGLOBALDATA } from '../dragonfly/slaballoc.layout.js';
import { SL_COUNTERS } from '../dragonfly/sysctl.js';
import { SB_GD, SB_NCPU, SB_SLGD, SB_ZONE_SIZE } from '../hw/superblock.layout.js';
import { GD_WORDS } from '../kern/globaldata.layout.js';
import { GD_COUNTERS, TUNABLES } from '../kern/sysctl.js';
import { superblockFault } from './superblock.js';

export class Memory {
  readonly heap: SharedArrayBuffer | ArrayBuffer;
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly i64: BigInt64Array;
  readonly f64: Float64Array;

  /** @throws SmpallocError ESMP_INPUT when these bytes are no machine */
  constructor(heap: SharedArrayBuffer | ArrayBuffer) {
    const fault = superblockFault(heap);
    if (fault !== '') throw new SmpallocError('ESMP_INPUT', fault);
    this.heap = heap;
    this.i32 = new Int32Array(heap);
    this.u8 = new Uint8Array(heap);
    this.i64 = new BigInt64Array(heap);
    this.f64 = new Float64Array(heap);
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

  /** Address of the header of the zone an address lies in (dragonfly/slglobaldata.ts, zoneOf). */
  zoneHeader(address: number): number {
    const size = this.i32[SB_ZONE_SIZE]!;
    const base = address & -size;
    return base + ((base / size) % 16) * 256;
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
