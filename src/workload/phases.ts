/**
 * phases.ts — the workloads as phases: what a CPU does when the host says run. Each phase takes its part and plain
 * arguments and returns plain numbers; what must outlive a phase lies in the machine's memory, by address.
 *
 * A measured phase warms nothing up itself: the host runs it untimed first, with the same arguments.
 */
import type { PhasePart } from '../base/protocol.js';
import { seedOf } from '../base/prng.js';
import { curcpu } from '../hw/curcpu.js';
import { i32 } from '../hw/heap.js';
import { HWC_LOADS, HWC_LOCKED } from '../hw/intr.layout.js';
import { intrLine } from '../hw/intr.js';
import { nowMs } from '../hw/time.js';
import { gangBarrier } from '../kern/gang.js';
import {
  kfree, kmalloc, kmallocRaiseLimit, M_WAITOK, M_ZERO, mallocTypeCreate, reclaim, sizeAt,
} from './allocator.js';
import { type Audit, auditMachine, auditPrepare } from './audit.js';
import { LARSON_BLOCKS, larsonFill, larsonRun } from './larson.js';
import { LOCAL_SLOTS, localLoop } from './local.js';
import { pairLoop } from './pair.js';
import { replayFree, replayRun } from './replay.js';
import { ringBytes, ringRun } from './ring.js';
import { statsMallocLoop, statsUpdateLoop } from './stats.js';
import { XQ_BYTES, XQ_LEFT, xmallocConsume, xmallocProduce } from './xmalloc.js';

/** What every measured phase returns. */
export interface Lap {
  /** wall milliseconds between the two barriers */
  readonly ms: number;
  /** locked operations and atomic loads (invariants flavour only, else 0) */
  readonly locked: number;
  readonly loads: number;
}

/** Runs `body` between two barriers. */
function lap(part: PhasePart, body: () => void): Lap {
  gangBarrier(part.parties);
  const counters = intrLine(curcpu);
  const locked = i32[counters + HWC_LOCKED];
  const loads = i32[counters + HWC_LOADS];
  const start = nowMs();
  body();
  const ms = nowMs() - start;
  const result = { ms, locked: i32[counters + HWC_LOCKED] - locked, loads: i32[counters + HWC_LOADS] - loads };
  gangBarrier(part.parties);
  return result;
}

/** True, once this CPU is up. */
export function ready(): boolean {
  return true;
}

/** Finds or defines types; every CPU gets the same addresses. Their limits are the whole of memory. */
export function defineTypes(_part: PhasePart, names: readonly string[]): number[] {
  return names.map((name) => {
    const type = mallocTypeCreate(name);
    if (type === 0) throw new Error(`malloc types: no room for '${name}'`);
    kmallocRaiseLimit(type, 0);
    return type;
  });
}

/** A zeroed block of this CPU's. @returns its address */
export function allocateArea(_part: PhasePart, bytes: number, type: number): number {
  return kmalloc(bytes, type, M_WAITOK | M_ZERO);
}

export function freeArea(_part: PhasePart, address: number, type: number): void {
  kfree(address, type);
}

export function pair(part: PhasePart, type: number, size: number, ops: number): Lap {
  return lap(part, () => pairLoop(type, size, ops));
}

/** @param areas each rank's block of LOCAL_SLOTS words @param x each rank's random state, 0 at first */
export function local(
  part: PhasePart, type: number, areas: readonly number[], ops: number, x: readonly number[],
): Lap & { x: number } {
  let state = x[part.rank] || seedOf(1, part.cpu);
  const result = lap(part, () => {
    state = localLoop(type, areas[part.rank] >>> 2, ops, state);
  });
  return { ...result, x: state };
}

export function statsUpdate(part: PhasePart, type: number, ops: number): Lap {
  // any live block will do: its size is kept somewhere as a 64-bit word
  const block = kmalloc(64, type, M_WAITOK);
  const size = sizeAt(block);
  const result = lap(part, () => statsUpdateLoop(type, size, ops));
  kfree(block, type);
  return result;
}

export function statsMalloc(part: PhasePart, type: number, size: number, ops: number): Lap {
  return lap(part, () => statsMallocLoop(type, size, ops));
}

/** Each rank fills its own array of blocks. @returns the random state */
export function larsonSetup(part: PhasePart, type: number, areas: readonly number[], seed: number): number {
  const x = larsonFill(type, areas[part.rank] >>> 2, seedOf(seed, part.cpu));
  gangBarrier(part.parties);
  return x;
}

export function larson(
  part: PhasePart, type: number, areas: readonly number[], laps: number, first: number, generations: number,
  x: readonly number[],
): Lap & { x: number } {
  let state = x[part.rank];
  const arrays = areas.map((area) => area >>> 2);
  const result = lap(part, () => {
    state = larsonRun(type, arrays, part.rank, laps, first, generations, state);
  });
  return { ...result, x: state };
}

/** Ranks below `producers` produce. @returns blocks freed by a consumer as `freed` */
export function xmalloc(
  part: PhasePart, type: number, queue: number, size: number, batches: number, producers: number,
): Lap & { freed: number } {
  const qw = queue >>> 2;
  if (part.rank === 0) i32[qw + XQ_LEFT] = batches * producers;
  let freed = 0;
  const result = lap(part, () => {
    if (part.rank < producers) xmallocProduce(type, qw, size, batches);
    else freed = xmallocConsume(type, qw);
  });
  return { ...result, freed };
}

/** @param rings ring r is filled by rank r and emptied by rank r + 1 */
export function ring(
  part: PhasePart, type: number, rings: readonly number[], depth: number, size: number, ops: number,
): Lap {
  const out = rings[part.rank] >>> 2;
  const from = rings[(part.rank + part.parties - 1) % part.parties] >>> 2;
  return lap(part, () => ringRun(type, out, from, depth, size, ops));
}

/** @param programs each rank's events, shared memory */
export function replay(
  part: PhasePart, programs: readonly SharedArrayBuffer[], events: readonly number[], table: number,
  types: readonly number[],
): Lap {
  const program = new Int32Array(programs[part.rank]);
  return lap(part, () => replayRun(program, events[part.rank], table >>> 2, types));
}

/** Frees what the trace left alive, spread over the CPUs. */
export function replayEnd(
  part: PhasePart, table: number, slots: number, types: readonly number[], typeOf: SharedArrayBuffer,
): void {
  replayFree(table >>> 2, part.rank, slots, part.parties, types, new Int32Array(typeOf));
}

/** Moves the pointers of live objects to a larger table. Rank 0 only. */
export function replayGrow(_part: PhasePart, table: number, slots: number, larger: number): void {
  for (let n = 0; n < slots; n++) i32[(larger >>> 2) + n] = i32[(table >>> 2) + n];
}

/** Quiesces the machine and checks it; rank 0 returns what it found. */
export function audit(part: PhasePart): Audit | null {
  auditPrepare(part.parties);
  const result = part.rank === 0 ? auditMachine() : null;
  gangBarrier(part.parties);
  return result;
}

/** Every CPU gives back what it can spare. */
export function cleanup(part: PhasePart): void {
  reclaim();
  gangBarrier(part.parties);
  reclaim();
}

/** Larson and local leave blocks behind: frees those of an array of `slots` words. */
export function freeSlots(part: PhasePart, type: number, areas: readonly number[], slots: number): void {
  const area = areas[part.rank] >>> 2;
  for (let n = 0; n < slots; n++) {
    if (i32[area + n] !== 0) kfree(i32[area + n], type);
    i32[area + n] = 0;
  }
}

/** Sizes the host needs to lay out areas. */
export const AREA_BYTES = { local: LOCAL_SLOTS * 4, larson: LARSON_BLOCKS * 4, xmalloc: XQ_BYTES } as const;
export { ringBytes };
