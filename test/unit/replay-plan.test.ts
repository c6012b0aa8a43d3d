/** A trace as programs: which CPU does what, and that no CPU can read a pointer it does not own. */
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prepareReplay } from '../../src/host/prepare_replay.js';
import { MAX_REPLAY_TYPES, ReplayPlan, type Window } from '../../src/host/replay_plan.js';
import {
  EV_ALLOC, EV_FREE, EV_OP_MASK, EV_REALLOC, EV_SHARED, EV_TYPE_SHIFT, EV_WORDS,
} from '../../src/workload/replay.layout.js';

const ALLOC = 'alloc';
const FREE = 'free';
const REALLOC = 'realloc';
type Step =
  | [typeof ALLOC, thread: number, id: number, size?: number, type?: number]
  | [typeof FREE, thread: number, id: number]
  | [typeof REALLOC, thread: number, id: number, oldId: number, size?: number, type?: number];

async function planned(cpus: number, steps: readonly Step[], windowEvents = 100) {
  const windows: Window[] = [];
  const plan = new ReplayPlan(cpus, async (window) => void windows.push(window), windowEvents);
  for (const step of steps) {
    if (step[0] === ALLOC) plan.alloc(step[1], step[2], step[3] ?? 64, step[4] ?? 0);
    else if (step[0] === FREE) plan.free(step[1], step[2]);
    else plan.realloc(step[1], step[2], step[4] ?? 64, step[3], step[5] ?? 0);
  }
  await plan.end();
  return { plan, windows, fold: Object.fromEntries(plan.fold) };
}

/** The events of a CPU's program. */
function events(window: Window, cpu: number) {
  const words = new Int32Array(window.programs[cpu]!);
  return Array.from({ length: window.events[cpu]! }, (_, n) => {
    const [word, slot, size, old] = words.subarray(n * EV_WORDS, (n + 1) * EV_WORDS) as unknown as number[];
    const op = word! & EV_OP_MASK;
    const shared = (word! & EV_SHARED) !== 0;
    return { op, slot: slot!, size: size!, old: old!, shared, type: word! >>> EV_TYPE_SHIFT };
  });
}

describe('events', () => {
  test('keep their order, sizes and types on a CPU', async () => {
    const steps: Step[] = [[ALLOC, 0, 1, 100, 3], [ALLOC, 0, 2, 0, 1], [FREE, 0, 1], [REALLOC, 0, 3, 2, 9]];
    const { windows } = await planned(1, steps);
    expect(windows).toHaveLength(1);
    expect(windows[0]).toMatchObject({ events: [4], allocations: 3, frees: 2, crossFrees: 0, types: 3 });
    expect(events(windows[0]!, 0)).toMatchObject([
      { op: EV_ALLOC, slot: 0, size: 100, type: 3, shared: false },
      { op: EV_ALLOC, slot: 1, size: 0, type: 1, shared: false },
      { op: EV_FREE, slot: 0, type: 3, shared: false },
      { op: EV_REALLOC, slot: 2, size: 9, old: 1, shared: false },
    ]);
  });

  test('bytes asked for and alive at once are known from the trace', async () => {
    const first: Step[] = [[ALLOC, 0, 1, 100], [ALLOC, 1, 2, 50], [FREE, 0, 1], [REALLOC, 1, 3, 2, 70]];
    const { windows } = await planned(2, [...first, [ALLOC, 0, 4, 500]], 4);
    expect(windows.map(({ askedPeak }) => askedPeak)).toEqual([150, 570]);
  });

  test('a free or a realloc is accounted to the type its object was born with', async () => {
    const { windows } = await planned(1, [[ALLOC, 0, 1, 8, 5], [REALLOC, 0, 2, 1, 16, 2], [FREE, 0, 2]]);
    expect(events(windows[0]!, 0).map(({ type }) => type)).toEqual([5, 5, 5]);
  });

  test('types beyond those a machine can define share the last one', async () => {
    const { windows } = await planned(1, [[ALLOC, 0, 1, 8, MAX_REPLAY_TYPES + 7], [FREE, 0, 1]]);
    expect(events(windows[0]!, 0).map(({ type }) => type)).toEqual([MAX_REPLAY_TYPES - 1, MAX_REPLAY_TYPES - 1]);
    expect(windows[0]!.types).toBe(MAX_REPLAY_TYPES - 1);
  });

  test('only what dies on another CPU than it was born on is shared', async () => {
    const { windows, fold } = await planned(2, [[ALLOC, 0, 1], [ALLOC, 0, 2], [FREE, 1, 1], [FREE, 0, 2]]);
    expect(fold).toEqual({ 0: 0, 1: 1 });
    expect(windows[0]).toMatchObject({ frees: 2, crossFrees: 1 });
    expect(events(windows[0]!, 0).map(({ shared }) => shared)).toEqual([true, false, false]);
    expect(events(windows[0]!, 1)).toMatchObject([{ op: EV_FREE, slot: 0, shared: true }]);
  });

  test('what was born in an earlier window needs no waiting for: the machine rested in between', async () => {
    const { windows } = await planned(2, [[ALLOC, 0, 1], [ALLOC, 0, 2], [FREE, 1, 1], [FREE, 0, 2]], 2);
    expect(windows).toHaveLength(2);
    expect(windows[1]).toMatchObject({ crossFrees: 1 });
    for (const window of windows) for (const cpu of [0, 1]) {
      for (const { shared } of events(window, cpu)) expect(shared).toBe(false);
    }
  });

  test('an object that is not alive is a bug of the reader, and said so', async () => {
    await expect(planned(1, [[FREE, 0, 7]])).rejects.toThrow('object 7 is not alive');
    await expect(planned(1, [[ALLOC, 0, 1], [FREE, 0, 1], [FREE, 0, 1]])).rejects.toThrow('object 1 is not alive');
  });

  test('a trace without events has no windows', async () => {
    expect((await planned(2, [])).windows).toEqual([]);
  });
});

describe('threads', () => {
  const busy = (thread: number, count: number): Step[] =>
    Array.from({ length: count }, (_, n) => [ALLOC, thread, thread * 1000 + n + 1] as Step);

  test('go to the CPU with the least to do, the busiest first', async () => {
    const { fold, windows } = await planned(2, [...busy(4, 3), ...busy(9, 20), ...busy(7, 10), ...busy(1, 9)]);
    expect(fold).toEqual({ 9: 0, 7: 1, 1: 1, 4: 1 });
    expect(windows[0]!.events).toEqual([20, 22]);
  });

  test('stay where they are in later windows', async () => {
    const { fold, windows } = await planned(2, [...busy(0, 6), ...busy(1, 4), ...busy(2, 10)], 10);
    // thread 2 comes second window, to the CPU that had less
    expect(fold).toEqual({ 0: 0, 1: 1, 2: 1 });
    expect(windows.map((window) => window.events)).toEqual([[6, 4], [0, 10]]);
  });

  test('fewer than CPUs leave some without a program', async () => {
    const { windows } = await planned(4, busy(3, 2));
    expect(windows[0]!.events).toEqual([2, 0, 0, 0]);
    expect(windows[0]!.programs).toHaveLength(4);
  });
});

describe('windows', () => {
  test('are handed over one after the other, and the reader waits for them', async () => {
    const log: string[] = [];
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const plan = new ReplayPlan(1, async () => {
      log.push('begin');
      await gate;
      log.push('end');
    }, 1);
    plan.alloc(0, 1, 8, 0);
    plan.alloc(0, 2, 8, 0);
    const drained = plan.drain().then(() => log.push('drained'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toEqual(['begin']);
    release();
    await drained;
    expect(log).toEqual(['begin', 'end', 'begin', 'end', 'drained']);
  });

  test('whose replay fails end the reading: at the next drain, or at the end', async () => {
    const plan = new ReplayPlan(1, () => Promise.reject(new RangeError('panic')), 1);
    plan.alloc(0, 1, 8, 0);
    await expect(plan.drain()).rejects.toThrow(RangeError);
    await expect(plan.end()).rejects.toThrow(RangeError);
  });

  test('know the types of what is alive at their end', async () => {
    const steps: Step[] = [[ALLOC, 0, 1, 8, 4], [ALLOC, 0, 2, 8, 6], [FREE, 0, 1], [ALLOC, 0, 3, 8, 2]];
    const { windows } = await planned(1, steps, 3);
    expect(new Int32Array(windows[0]!.typeOf)[1]).toBe(6);
    expect([...new Int32Array(windows[1]!.typeOf)]).toEqual([2, 6]);
    // the slot that died in the first window is used again in the second
    expect(windows.map(({ slots }) => slots)).toEqual([2, 2]);
  });
});

/** Random traces: every id born once, dying at most once. */
const traces = fc
  .array(fc.tuple(fc.nat(99), fc.nat(4), fc.nat(1000)), { minLength: 1, maxLength: 120 })
  .map((choices) => {
    const alive: number[] = [];
    let next = 1;
    return choices.map(([kind, thread, pick]): Step => {
      const [old] = kind < 50 || alive.length === 0 ? [] : alive.splice(pick % alive.length, 1);
      if (old === undefined || kind < 65) alive.push(next);
      if (old === undefined) return [ALLOC, thread, next++, pick, pick % 7];
      return kind < 65 ? [REALLOC, thread, next++, old, pick, pick % 7] : [FREE, thread, old];
    });
  });

/**
 * Runs the programs as the machine would, CPUs in an order drawn from `turns`, and watches every pointer: what is not
 * shared must have been written by the same CPU, or before the last barrier.
 */
class Referee {
  readonly #table = new Map<number, { type: number; cpu: number; shared: boolean; window: number }>();
  readonly #used = new Set<string>();
  #window = 0;

  run(window: Window, turns: () => number): void {
    const programs = window.programs.map((_, cpu) => events(window, cpu));
    const at = programs.map(() => 0);
    const next = (cpu: number) => programs[cpu]![at[cpu]!];
    const can = (cpu: number) => next(cpu) !== undefined && this.#may(next(cpu)!);
    const ready = () => [...programs.keys()].filter(can);
    for (let cpus = ready(); cpus.length > 0; cpus = ready()) {
      const cpu = cpus[turns() % cpus.length]!;
      this.#step(cpu, next(cpu)!);
      at[cpu]!++;
    }
    expect(at, 'every program ends: nobody waits for ever').toEqual(window.events);
    this.#window++;
  }

  get alive(): number {
    return this.#table.size;
  }

  typesMatch(window: Window): void {
    const types = new Int32Array(window.typeOf);
    for (const [slot, { type }] of this.#table) expect(types[slot]).toBe(type);
  }

  /** Deaths of shared pointers and reallocs wait; all others must not need to. */
  #may({ op, slot, old, shared }: ReturnType<typeof events>[number]): boolean {
    if (op === EV_ALLOC || (op === EV_FREE && !shared)) return true;
    return this.#table.has(op === EV_FREE ? slot : old);
  }

  #step(cpu: number, { op, slot, old, shared, type }: ReturnType<typeof events>[number]): void {
    if (op !== EV_ALLOC) {
      const dying = op === EV_FREE ? slot : old;
      const object = this.#table.get(dying);
      expect(object, `slot ${dying} holds a pointer`).toBeDefined();
      expect(object!.type).toBe(type);
      const safe = object!.cpu === cpu || object!.window < this.#window || object!.shared;
      expect(safe, `slot ${dying} was published to cpu${cpu}`).toBe(true);
      if (op === EV_FREE && object!.cpu !== cpu && object!.window === this.#window) expect(shared).toBe(true);
      this.#table.delete(dying);
    }
    if (op !== EV_FREE) {
      const use = `${this.#window}:${slot}`;
      const taken = this.#used.has(use) || this.#table.has(slot);
      expect(taken, `slot ${slot} is used once between two barriers`).toBe(false);
      this.#used.add(use);
      this.#table.set(slot, { type, cpu, shared, window: this.#window });
    }
  }
}

describe('any trace', () => {
  test('runs to its end in any interleaving, and no pointer is read before it is published', async () => {
    const sizes = fc.record({ cpus: fc.integer({ min: 1, max: 4 }), windowEvents: fc.integer({ min: 1, max: 40 }) });
    await fc.assert(
      fc.asyncProperty(traces, sizes, fc.infiniteStream(fc.nat(1000)), async (steps, { cpus, windowEvents }, turns) => {
        const { windows } = await planned(cpus, steps, windowEvents);
        const referee = new Referee();
        for (const window of windows) {
          referee.run(window, () => turns.next().value as number);
          referee.typesMatch(window);
        }
        const total = (count: (window: Window) => number) => windows.reduce((sum, window) => sum + count(window), 0);
        expect(total(({ events: each }) => each.reduce((a, b) => a + b, 0))).toBe(steps.length);
        const births = steps.filter(([op]) => op !== FREE).length;
        const deaths = steps.filter(([op]) => op !== ALLOC).length;
        expect(total(({ allocations }) => allocations)).toBe(births);
        expect(total(({ frees }) => frees)).toBe(deaths);
        expect(referee.alive).toBe(births - deaths);
        if (cpus === 1) expect(total(({ crossFrees }) => crossFrees)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});

describe('prepareReplay', () => {
  const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/trace/${name}`, import.meta.url));

  test('reads a whole trace and folds it', async () => {
    const { summary, windows, fold } = await prepareReplay({ path: fixture('ftrace.txt'), cpus: 2 });
    expect(summary).toMatchObject({ format: 'ftrace', allocations: 64, frees: 57 });
    expect(windows).toHaveLength(1);
    expect(windows[0]).toMatchObject({ allocations: 64, frees: 57 });
    expect(windows[0]!.events.reduce((a, b) => a + b)).toBe(121);
    for (const [, cpu] of fold) expect(cpu).toBeLessThan(2);
  });

  test('gives back the reader\'s refusal', async () => {
    const prepared = prepareReplay({ path: fixture('none'), cpus: 1 });
    await expect(prepared).rejects.toMatchObject({ code: 'ETRACE_UNREADABLE' });
  });
});
