/**
 * memory_models.ts — all outcomes of a litmus test, by brute force: under sequential consistency, and under the model
 * of ECMA-262 (clause "Memory Model"), whose abstract operations and relations the names here are.
 */
import { type Access, isNoTear, type Place, UNITS } from '../../src/lab/litmus/access.js';
import type { LitmusTest } from '../../src/lab/litmus/tests.js';

const unitsOf = (place: Place): number[] => Array.from({ length: UNITS[place][1] }, (_, n) => UNITS[place][0] + n);

/** What a load of these units is printed as. */
function printed(place: Place, values: readonly number[]): string {
  if (place === 'x' || place === 'y' || values.every((value) => value === values[0])) return String(values[0]);
  return 'torn';
}

/** Every interleaving. A plain `inc` is a load and a store, everything else indivisible. */
export function sequentiallyConsistent({ actors, final }: LitmusTest): Set<string> {
  type Step = (memory: number[], registers: (string | number)[]) => void;
  let register = 0;
  let temporary = 0;
  const steps = (accesses: readonly Access[]): Step[] => accesses.flatMap((one): Step[] => {
    const units = unitsOf(one.place);
    const put = (memory: number[], value: number) => {
      for (const unit of units) memory[unit] = value;
    };
    if (one.do === 'store') return [(memory) => put(memory, one.value)];
    if (one.do === 'load') {
      const r = register++;
      return [(memory, registers) => (registers[r] = printed(one.place, units.map((unit) => memory[unit]!)))];
    }
    if (one.atomic) return [(memory) => put(memory, memory[units[0]!]! + 1)];
    const own = --temporary;
    return [
      (memory, registers) => (registers[own] = memory[units[0]!]!),
      (memory, registers) => put(memory, Number(registers[own]) + 1),
    ];
  });
  const threads = actors.map(steps);
  const ending = steps(final);
  const found = new Set<string>();
  const go = (at: readonly number[], memory: readonly number[], registers: readonly (string | number)[]): void => {
    let ended = true;
    threads.forEach((thread, t) => {
      if (at[t] === thread.length) return;
      ended = false;
      const [m, r] = [[...memory], Object.assign([], registers)];
      thread[at[t]!]!(m, r);
      go(at.map((n, other) => (other === t ? n + 1 : n)), m, r);
    });
    if (!ended) return;
    const [m, r] = [[...memory], Object.assign([], registers)];
    for (const step of ending) step(m, r);
    found.add(r.join(', '));
  };
  go(threads.map(() => 0), [0, 0, 0, 0], []);
  return found;
}

/** A Shared Data Block event. */
interface Event {
  readonly id: number;
  readonly reads: boolean;
  readonly writes: boolean;
  readonly seqCst: boolean;
  readonly noTear: boolean;
  readonly place: Place;
  readonly units: readonly number[];
  /** what it writes, given what an event read */
  readonly payload: (read: (event: Event) => number) => number;
  readonly register: number | null;
}

type Relation = boolean[][];
/** for a read, the write each unit's value is of */
type ReadsBytesFrom = ReadonlyMap<Event, readonly Event[]>;

/** Every candidate execution that is valid. */
export function javascript(test: LitmusTest): Set<string> {
  const { events, agentOrder } = eventsOf(test);
  const reads = events.filter((event) => event.reads);
  const found = new Set<string>();
  const choose = (n: number, chosen: Map<Event, readonly Event[]>): void => {
    const read = reads[n];
    if (!read) {
      if (!isValid(events, agentOrder, chosen)) return;
      const result = resultOf(reads, chosen);
      if (result !== null) found.add(result);
      return;
    }
    const from = read.units.map((unit) => events.filter((w) => w.writes && w !== read && w.units.includes(unit)));
    for (const writes of product(from)) choose(n + 1, new Map(chosen).set(read, writes));
  };
  choose(0, new Map());
  return found;
}

function product<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((all, list) => all.flatMap((one) => list.map((item) => [...one, item])), [[]]);
}

/** Memory begins with stores that happen before everything (lab/litmus/actor.ts); final loads happen after. */
function eventsOf({ actors, final }: LitmusTest): { events: Event[]; agentOrder: Relation } {
  const events: Event[] = [];
  let register = 0;
  const add = (one: Access, role: 'load' | 'store' | 'both', payload: Event['payload'], printedLoad = false): Event => {
    const event: Event = {
      id: events.length, reads: role !== 'store', writes: role !== 'load', seqCst: one.atomic, noTear: isNoTear(one),
      place: one.place, units: unitsOf(one.place), payload, register: printedLoad ? register++ : null,
    };
    events.push(event);
    return event;
  };
  const agent = (accesses: readonly Access[]): Event[] => accesses.flatMap((one): Event[] => {
    if (one.do === 'load') return [add(one, 'load', () => 0, true)];
    if (one.do === 'store') return [add(one, 'store', () => one.value)];
    if (one.atomic) {
      const rmw: Event = add(one, 'both', (read) => read(rmw) + 1);
      return [rmw];
    }
    const load = add(one, 'load', () => 0);
    return [load, add(one, 'store', (read) => read(load) + 1)];
  });
  const seen = new Set<string>();
  const first = actors.flat().filter((one) => one.do !== 'load').filter((one) => {
    const key = `${one.place} ${one.element} ${one.atomic && one.do === 'store'}`;
    return !seen.has(key) && seen.add(key);
  }).map((one) => add({ ...one, atomic: one.atomic && one.do === 'store' }, 'store', () => 0));
  const threads = actors.map(agent);
  const last = agent(final);
  const agentOrder: Relation = events.map(() => events.map(() => false));
  const orders = (a: readonly Event[], b: readonly Event[]) => {
    for (const one of a) for (const other of b) agentOrder[one.id]![other.id] = true;
  };
  for (const thread of threads) {
    orders(first, thread);
    orders(thread, last);
    thread.forEach((event, n) => void orders([event], thread.slice(n + 1)));
  }
  orders(first, last);
  last.forEach((event, n) => void orders([event], last.slice(n + 1)));
  return { events, agentOrder };
}

const equalRanges = (a: Event, b: Event): boolean => a.units[0] === b.units[0] && a.units.length === b.units.length;

function isValid(events: readonly Event[], agentOrder: Relation, readsBytesFrom: ReadsBytesFrom): boolean {
  const synchronizes: Relation = events.map(() => events.map(() => false));
  for (const [r, writes] of readsBytesFrom) {
    for (const w of writes) if (r.seqCst && w.seqCst && equalRanges(r, w)) synchronizes[w.id]![r.id] = true;
  }
  const happensBefore = closure(agentOrder.map((row, a) => row.map((is, b) => is || synchronizes[a]![b]!)));
  if (events.some(({ id }) => happensBefore[id]![id])) return false;
  return coherentReads(events, happensBefore, readsBytesFrom) && tearFreeReads(readsBytesFrom)
    && sequentiallyConsistentAtomics(events, happensBefore, synchronizes, readsBytesFrom);
}

function closure(relation: Relation): Relation {
  const all = relation.map((row) => [...row]);
  for (const k of all.keys()) {
    for (const a of all.keys()) {
      if (all[a]![k]) for (const b of all.keys()) all[a]![b] ||= all[k]![b]!;
    }
  }
  return all;
}

function coherentReads(events: readonly Event[], happensBefore: Relation, readsBytesFrom: ReadsBytesFrom): boolean {
  return [...readsBytesFrom].every(([r, writes]) => writes.every((w, n) => (
    !happensBefore[r.id]![w.id] && !events.some((v) => (
      v.writes && v.units.includes(r.units[n]!) && happensBefore[w.id]![v.id] && happensBefore[v.id]![r.id]
    ))
  )));
}

function tearFreeReads(readsBytesFrom: ReadsBytesFrom): boolean {
  return [...readsBytesFrom].every(([r, writes]) => !r.noTear || !writes.some((w) => (
    w.noTear && equalRanges(r, w) && writes.some((v) => v !== w && v.noTear && equalRanges(v, w))
  )));
}

/** Is there a memory-order? */
function sequentiallyConsistentAtomics(
  events: readonly Event[], happensBefore: Relation, synchronizes: Relation, readsBytesFrom: ReadsBytesFrom,
): boolean {
  const between = [...readsBytesFrom].flatMap(([r, writes]) => writes.flatMap((w) => events.filter((v) => (
    v !== w && v !== r && v.writes && v.seqCst && (
      (synchronizes[w.id]![r.id] && equalRanges(v, r))
      || (happensBefore[w.id]![r.id] && happensBefore[v.id]![r.id] && w.seqCst && equalRanges(w, v))
      || (happensBefore[w.id]![r.id] && happensBefore[w.id]![v.id] && r.seqCst && equalRanges(v, r))
    )
  )).map((v) => [w.id, v.id, r.id] as const)));
  const place: number[] = [];
  const order = (n: number): boolean => {
    if (n === events.length) return !between.some(([w, v, r]) => place[w]! < place[v]! && place[v]! < place[r]!);
    return events.some(({ id }) => {
      const early = events.some((other) => place[other.id] === undefined && happensBefore[other.id]![id]);
      if (place[id] !== undefined || early) return false;
      place[id] = n;
      if (order(n + 1)) return true;
      delete place[id];
      return false;
    });
  };
  return order(0);
}

/** null: a value would be its own reason */
function resultOf(reads: readonly Event[], readsBytesFrom: ReadsBytesFrom): string | null {
  const valuesOf = (read: Event, behind: readonly Event[]): number[] => {
    if (behind.includes(read)) throw new RangeError('out of thin air');
    return readsBytesFrom.get(read)!.map((w) => w.payload((source) => valuesOf(source, [...behind, read])[0]!));
  };
  try {
    return reads.filter(({ register }) => register !== null).sort((a, b) => a.register! - b.register!)
      .map((read) => printed(read.place, valuesOf(read, []))).join(', ');
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
