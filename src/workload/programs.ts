/**
 * programs.ts — the workloads as programs: one operation a step, for CPUs whose steps somebody else orders (the model).
 * What an operation does is the loops' own (larson.ts ...); here is only which comes next.
 *
 * A program moves on when its operation has returned, never before: one that is left in the middle is made again.
 */
import { STEP_END, STEP_OP, STEP_OTHER, type Program } from '../base/program.js';
import { load, store } from '../hw/atomics.js';
import { gangBarrier } from '../kern/gang.js';
import { kfree } from './allocator.js';
import { larsonReplace } from './larson.js';
import { localReplace } from './local.js';
import { pairOnce } from './pair.js';
import { EV_WORDS } from './replay.layout.js';
import { replayEvent } from './replay.js';
import { RG_GOT, RG_PUT, RING_TURN, ringPause, ringPut, ringTake } from './ring.js';
import { statsMalloc, statsUpdates } from './stats.js';
import {
  batchEmpty, batchFill, batchNew, batchPop, batchPush, XMALLOC_BATCH,
} from './xmalloc.js';

export type { Program } from '../base/program.js';

/** `ops` times the same. */
class Repeat implements Program {
  #left: number;
  readonly #once: (n: number) => void;

  constructor(ops: number, once: (n: number) => void) {
    this.#left = ops;
    this.#once = once;
  }

  step(): number {
    if (this.#left === 0) return STEP_END;
    this.#once(this.#left);
    this.#left--;
    return STEP_OP;
  }
}

export function pairProgram(type: number, size: number, ops: number): Program {
  return new Repeat(ops, (n) => pairOnce(type, size, n));
}

export function statsMallocProgram(type: number, size: number, ops: number): Program {
  return new Repeat(ops, () => statsMalloc(type, size));
}

/** @param ops updates, two a step */
export function statsUpdateProgram(type: number, sizeAt: number, ops: number): Program {
  return new Repeat(ops >>> 1, () => statsUpdates(type, sizeAt));
}

/** Random state that outlives a program: [state]. */
export type Random = [number];

export function localProgram(type: number, slots: number, ops: number, x: Random): Program {
  return new Repeat(ops, (n) => {
    x[0] = localReplace(type, slots, n, x[0]);
  });
}

/** Generations of `replacements` each, a barrier behind every one. */
export class LarsonProgram implements Program {
  readonly #type: number;
  readonly #arrays: readonly number[];
  readonly #rank: number;
  readonly #replacements: number;
  readonly #x: Random;
  #generation: number;
  #end: number;
  #n = 0;

  constructor(
    type: number, arrays: readonly number[], rank: number, replacements: number, first: number, generations: number,
    x: Random,
  ) {
    this.#type = type;
    this.#arrays = arrays;
    this.#rank = rank;
    this.#replacements = replacements;
    this.#generation = first;
    this.#end = first + generations;
    this.#x = x;
  }

  step(): number {
    if (this.#generation === this.#end) return STEP_END;
    if (this.#n === this.#replacements) {
      gangBarrier(this.#arrays.length);
      this.#n = 0;
      this.#generation++;
      return STEP_OTHER;
    }
    const slots = this.#arrays[(this.#rank + this.#generation) % this.#arrays.length];
    this.#x[0] = larsonReplace(this.#type, slots, this.#n, this.#x[0]);
    this.#n++;
    return STEP_OP;
  }
}

/**
 * As ringRun; a block put is an operation, what the neighbour's costs to free is part of the time. With `behind` blocks
 * in flight all the time it is the full steady state: each CPU puts one, then frees the one that was put so many before.
 */
export class RingProgram implements Program {
  readonly #type: number;
  readonly #out: number;
  readonly #from: number;
  readonly #depth: number;
  readonly #size: number;
  readonly #ops: number;
  readonly #behind: number;
  /** blocks in flight at most */
  readonly #most: number;
  readonly #base: number;
  readonly #toFree: number;
  #put = 0;
  #freed = 0;
  /** blocks [got, seen) wait to be freed; `got` is published when `seen` has been reached */
  #got: number;
  #seen: number;
  /** the number of puts at which it has last looked for blocks */
  #looked = 0;

  constructor(type: number, out: number, from: number, depth: number, size: number, ops: number, behind: number) {
    this.#type = type;
    this.#out = out;
    this.#from = from;
    this.#depth = depth;
    this.#size = size;
    this.#ops = ops;
    this.#behind = behind;
    this.#most = behind > 0 ? behind + 1 : depth;
    this.#base = load(out + RG_PUT);
    this.#got = load(from + RG_GOT);
    this.#seen = this.#got;
    this.#toFree = Math.max(0, load(from + RG_PUT) - this.#got + ops - behind);
  }

  step(): number {
    if (this.#got !== this.#seen) return this.#take();
    const all = this.#put === this.#ops;
    if (all && this.#freed === this.#toFree) return STEP_END;
    const turn = this.#behind > 0 ? 1 : RING_TURN;
    if (this.#looked !== this.#put && (this.#put & (turn - 1)) === 0) return this.#look(false);
    if (!this.#mayPut()) return this.#look(true);
    ringPut(this.#type, this.#out, this.#depth, this.#size, this.#base + this.#put);
    this.#put++;
    return STEP_OP;
  }

  /** Sees what has arrived; with nothing else to do it waits until something has, or there is room. */
  #look(mustWait: boolean): number {
    let seen = this.#arrived();
    for (let spins = 0; mustWait && seen === this.#got && !this.#mayPut(); ) {
      spins = ringPause(spins);
      seen = this.#arrived();
    }
    this.#seen = seen;
    this.#looked = this.#put;
    return STEP_OTHER;
  }

  #arrived(): number {
    return Math.max(this.#got, load(this.#from + RG_PUT) - this.#behind);
  }

  #mayPut(): boolean {
    return this.#put < this.#ops && this.#base + this.#put - load(this.#out + RG_GOT) < this.#most;
  }

  #take(): number {
    ringTake(this.#type, this.#from, this.#depth, this.#got);
    if (this.#got + 1 === this.#seen) store(this.#from + RG_GOT, this.#seen);
    this.#got++;
    this.#freed++;
    return STEP_OTHER;
  }
}

/** As xmallocProduce; a block allocated is an operation. */
export class ProducerProgram implements Program {
  readonly #type: number;
  readonly #queue: number;
  readonly #size: number;
  #batches: number;
  #batch = 0;
  #k = 1;

  constructor(type: number, queue: number, size: number, batches: number) {
    this.#type = type;
    this.#queue = queue;
    this.#size = size;
    this.#batches = batches;
  }

  step(): number {
    if (this.#batches === 0) return STEP_END;
    if (this.#batch === 0) {
      this.#batch = batchNew(this.#type);
      this.#k = 1;
      return STEP_OTHER;
    }
    if (this.#k <= XMALLOC_BATCH) {
      batchFill(this.#type, this.#batch, this.#size, this.#k);
      this.#k++;
      return STEP_OP;
    }
    batchPush(this.#queue, this.#batch);
    this.#batch = 0;
    this.#batches--;
    return STEP_OTHER;
  }
}

/** As xmallocConsume: until no batch is left. */
export class ConsumerProgram implements Program {
  readonly #type: number;
  readonly #queue: number;
  #batch = 0;
  #k = 1;

  constructor(type: number, queue: number) {
    this.#type = type;
    this.#queue = queue;
  }

  step(): number {
    if (this.#batch === 0) {
      const batch = batchPop(this.#queue);
      if (batch === 0) return STEP_END;
      this.#batch = batch;
      this.#k = 1;
      return STEP_OTHER;
    }
    if (this.#k <= XMALLOC_BATCH) {
      batchEmpty(this.#type, this.#batch, this.#k);
      this.#k++;
      return STEP_OTHER;
    }
    kfree(this.#batch, this.#type);
    this.#batch = 0;
    return STEP_OTHER;
  }
}

/** A CPU's events of a window of a trace. */
export class ReplayProgram implements Program {
  readonly #program: Int32Array;
  readonly #end: number;
  readonly #table: number;
  readonly #types: readonly number[];
  #n = 0;

  constructor(program: Int32Array, events: number, table: number, types: readonly number[]) {
    this.#program = program;
    this.#end = events * EV_WORDS;
    this.#table = table;
    this.#types = types;
  }

  step(): number {
    if (this.#n === this.#end) return STEP_END;
    replayEvent(this.#program, this.#n, this.#table, this.#types);
    this.#n += EV_WORDS;
    return STEP_OP;
  }
}
