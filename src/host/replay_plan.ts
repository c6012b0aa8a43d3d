/**
 * replay_plan.ts — a trace as programs for the CPUs of a machine (format: workload/replay.ts).
 *
 *   threads (in a kernel trace: its CPUs) fold onto the machine's CPUs, the busiest
 *   first, each to the CPU with the least to do so far
 *   events gather in windows; a window becomes one program a CPU, and the machine comes to rest between two windows,
 *   so a trace of any length needs memory for one window and for what is alive
 *
 * Within a window it is known which objects die on another CPU than they were born on: only their pointers need atomic
 * accesses.
 */
import {
  EV_ALLOC, EV_FREE, EV_REALLOC, EV_SHARED, EV_TYPE_SHIFT, EV_WORDS,
} from '../workload/replay.layout.js';
import type { TraceSink } from './trace/trace.js';

/** Events of a window: 4 million words of programs at the most. */
export const WINDOW_EVENTS = 1_000_000;
/** malloc types a replay defines; the rest of a trace's types share the last one */
export const MAX_REPLAY_TYPES = 400;

export interface Window {
  /** one a CPU, EV_WORDS words an event */
  readonly programs: SharedArrayBuffer[];
  readonly events: number[];
  /** words the pointer table must have from here on */
  readonly slots: number;
  readonly allocations: number;
  readonly frees: number;
  /** frees on another CPU than the birth's */
  readonly crossFrees: number;
  /** highest type index used so far */
  readonly types: number;
  /** most bytes that were asked for and alive at once so far, in the order of the trace */
  readonly askedPeak: number;
  /** type of each slot in use at the window's end (for replayEnd) */
  readonly typeOf: SharedArrayBuffer;
}

/** Columns of the events of a window under construction. */
interface Columns {
  op: Uint8Array;
  thread: Uint16Array;
  type: Uint16Array;
  id: Float64Array;
  size: Int32Array;
  oldId: Float64Array;
}

interface Live {
  slot: number;
  cpu: number;
  type: number;
  size: number;
  /** event of its birth in this window, -1 when older */
  birth: number;
}

export class ReplayPlan implements TraceSink {
  readonly #cpus: number;
  readonly #onWindow: (window: Window) => Promise<void>;
  readonly #windowEvents: number;
  readonly #cpuOf = new Map<number, number>();
  readonly #load: number[];
  readonly #live = new Map<number, Live>();
  #freeSlots: number[] = [];
  #nextSlot = 0;
  #types = 0;
  #asked = 0;
  #askedPeak = 0;
  #count = 0;
  #columns: Columns;
  #pending: Promise<void> = Promise.resolve();

  /**
   * @param cpus of the machine
   * @param onWindow gets each finished window; awaited before the next one is handed over
   */
  constructor(cpus: number, onWindow: (window: Window) => Promise<void>, windowEvents = WINDOW_EVENTS) {
    this.#cpus = cpus;
    this.#onWindow = onWindow;
    this.#windowEvents = windowEvents;
    this.#load = new Array<number>(cpus).fill(0);
    this.#columns = columns(windowEvents);
  }

  alloc(thread: number, id: number, size: number, type: number): void {
    this.#push(EV_ALLOC, thread, id, size, 0, type);
  }

  free(thread: number, id: number): void {
    this.#push(EV_FREE, thread, id, 0, 0, 0);
  }

  realloc(thread: number, id: number, size: number, oldId: number, type: number): void {
    this.#push(EV_REALLOC, thread, id, size, oldId, type);
  }

  /** Back-pressure of the reader: a full window is handed over before more is read. */
  async drain(): Promise<void> {
    await this.#pending;
  }

  /** Hands over what is left. */
  async end(): Promise<void> {
    this.#close();
    await this.#pending;
  }

  /** CPU of each thread seen. */
  get fold(): ReadonlyMap<number, number> {
    return this.#cpuOf;
  }

  #push(op: number, thread: number, id: number, size: number, oldId: number, type: number): void {
    const n = this.#count++;
    const c = this.#columns;
    c.op[n] = op;
    c.thread[n] = thread;
    c.id[n] = id;
    c.size[n] = size;
    c.oldId[n] = oldId;
    c.type[n] = Math.min(type, MAX_REPLAY_TYPES - 1);
    if (this.#count === this.#windowEvents) this.#close();
  }

  #close(): void {
    if (this.#count === 0) return;
    this.#assignCpus();
    const window = this.#encode();
    this.#count = 0;
    this.#pending = this.#pending.then(() => this.#onWindow(window));
    // errors surface at the next drain or at end
    this.#pending.catch(() => {});
  }

  #assignCpus(): void {
    const events = new Map<number, number>();
    for (let n = 0; n < this.#count; n++) {
      const thread = this.#columns.thread[n]!;
      events.set(thread, (events.get(thread) ?? 0) + 1);
    }
    const busiest = [...events].sort((a, b) => b[1] - a[1]);
    for (const [thread, count] of busiest) {
      let cpu = this.#cpuOf.get(thread);
      if (cpu === undefined) {
        cpu = this.#load.indexOf(Math.min(...this.#load));
        this.#cpuOf.set(thread, cpu);
      }
      this.#load[cpu]! += count;
    }
  }

  #encode(): Window {
    const programs = this.#emptyPrograms();
    const views = programs.map((program) => new Int32Array(program));
    const fill = new Array<number>(this.#cpus).fill(0);
    const totals = { allocations: 0, frees: 0, crossFrees: 0 };
    const dying: number[] = [];
    const births: { cpu: number; at: number }[] = [];
    const c = this.#columns;
    for (let n = 0; n < this.#count; n++) {
      const cpu = this.#cpuOf.get(c.thread[n]!)!;
      const at = fill[cpu]! * EV_WORDS;
      fill[cpu]!++;
      const view = views[cpu]!;
      const op = c.op[n]!;
      let shared = 0;
      let type = c.type[n]!;
      if (op !== EV_ALLOC) {
        const id = op === EV_FREE ? c.id[n]! : c.oldId[n]!;
        const dead = this.#live.get(id);
        // a reader has dropped what was never born
        if (dead === undefined) throw new Error(`replay plan: object ${id} is not alive`);
        this.#live.delete(id);
        this.#asked -= dead.size;
        dying.push(dead.slot);
        totals.frees++;
        if (dead.cpu !== cpu) {
          totals.crossFrees++;
          if (dead.birth >= 0) {
            shared = EV_SHARED;
            const birth = births[dead.birth]!;
            views[birth.cpu]![birth.at]! |= EV_SHARED;
          }
        }
        // a free, and krealloc too, is accounted to the type that allocated
        type = dead.type;
        view[at + (op === EV_FREE ? 1 : 3)] = dead.slot;
        if (op === EV_REALLOC) shared = 0;
      }
      if (op !== EV_FREE) {
        const slot = this.#freeSlots.pop() ?? this.#nextSlot++;
        const size = c.size[n]! >>> 0;
        this.#asked += size;
        this.#askedPeak = Math.max(this.#askedPeak, this.#asked);
        this.#live.set(c.id[n]!, { slot, cpu, type, size, birth: births.length });
        births.push({ cpu, at });
        totals.allocations++;
        this.#types = Math.max(this.#types, type);
        view[at + 1] = slot;
        view[at + 2] = c.size[n]!;
      }
      view[at] = op | shared | (type << EV_TYPE_SHIFT);
    }
    this.#freeSlots = this.#freeSlots.concat(dying);
    const typeOf = new SharedArrayBuffer(Math.max(4, this.#nextSlot * 4));
    const typeOfSlot = new Int32Array(typeOf);
    for (const live of this.#live.values()) {
      live.birth = -1;
      typeOfSlot[live.slot] = live.type;
    }
    return {
      programs, events: fill, slots: this.#nextSlot, ...totals, types: this.#types, askedPeak: this.#askedPeak, typeOf,
    };
  }

  #emptyPrograms(): SharedArrayBuffer[] {
    const events = new Array<number>(this.#cpus).fill(0);
    for (let n = 0; n < this.#count; n++) events[this.#cpuOf.get(this.#columns.thread[n]!)!]!++;
    return events.map((count) => new SharedArrayBuffer(Math.max(1, count) * EV_WORDS * 4));
  }
}

function columns(events: number): Columns {
  return {
    op: new Uint8Array(events),
    thread: new Uint16Array(events),
    type: new Uint16Array(events),
    id: new Float64Array(events),
    size: new Int32Array(events),
    oldId: new Float64Array(events),
  };
}
