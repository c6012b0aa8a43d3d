/**
 * event.ts — the events of the execution a search is in, and what happened before what.
 *
 * Each event has the vector clock of what has to come before it: its entity's event before, and every event before it
 * that it depends on (footprint.ts). Two schedules with the same such order lead to the same states: a class.
 */
import { LOOK, NOTIFY, PAUSE, WAKE } from '../../base/access.js';
import { INTR_PENDING, INTR_STOP, INTR_WORDS } from '../../hw/intr.layout.js';
import { SB_INTR } from '../../hw/superblock.layout.js';
import type { Subject } from '../subject.js';
import { type Footprint, writeOf } from './footprint.js';

export interface Event {
  readonly entity: number;
  /** its number among the events of its entity, from 1 */
  readonly rank: number;
  /** by entity: the last rank that happened before it, its own included */
  clock: Int32Array;
  readonly footprint: Footprint;
  /** the access it began with */
  readonly kind: number;
  readonly word: number;
  /** of a compare-and-swap: what it expected */
  readonly expected: number;
  /** it could not have gone on while these words had these values */
  readonly waits: readonly (readonly [word: number, value: number])[];
  /** it is a compare-and-swap that must not fail */
  readonly mustSucceed: boolean;
  /** stores it put into the store buffer of its CPU */
  buffered: number;
  /** entities their CPUs are free for, after it */
  free: number;
}

/** The events so far, by place; and per key who touched it, per entity what it did. */
export class History {
  readonly events: Event[] = [];
  readonly #subject: Subject;
  readonly #byKey: (number[] | undefined)[];
  readonly #byEntity: number[][];
  /** places of the events that filled the store buffer of a CPU, one a store */
  readonly #stores: number[][] = [];
  readonly #lines: number;
  readonly #cpuKey: (cpu: number) => number;

  constructor(subject: Subject, keys: number, cpuKey: (cpu: number) => number) {
    const { layout } = subject.engine.entity;
    this.#subject = subject;
    this.#byKey = new Array(keys);
    this.#byEntity = Array.from({ length: layout.entities }, () => []);
    for (let cpu = 0; cpu < layout.ncpu; cpu++) this.#stores.push([]);
    this.#lines = subject.machine.memory.sb(SB_INTR) >>> 2;
    this.#cpuKey = cpuKey;
  }

  get length(): number {
    return this.events.length;
  }

  /** word of the pending bits of a CPU */
  pendingWord(cpu: number): number {
    return this.#lines + cpu * INTR_WORDS + INTR_PENDING;
  }

  /** Places and kinds of those that touched the key, in order: place << 1, the lowest bit set for a write. */
  touched(key: number): readonly number[] {
    return this.#byKey[key] ?? [];
  }

  lastOf(entity: number): Event | undefined {
    const places = this.#byEntity[entity]!;
    return this.events[places[places.length - 1]!];
  }

  add(event: Event): void {
    const place = this.events.push(event) - 1;
    for (const key of event.footprint.keys) {
      this.#byKey[key >>> 1] ??= [];
      this.#byKey[key >>> 1]!.push((place << 1) | (key & 1));
    }
    this.#byEntity[event.entity]!.push(place);
    const { cpuOf } = this.#subject.engine.entity;
    for (let n = 0; n < event.buffered; n++) this.#stores[cpuOf[event.entity]!]!.push(place);
  }

  /** Takes back the last event. */
  drop(): void {
    const event = this.events.pop()!;
    for (const key of event.footprint.keys) this.#byKey[key >>> 1]!.pop();
    this.#byEntity[event.entity]!.pop();
    this.#stores[this.#subject.engine.entity.cpuOf[event.entity]!]!.length -= event.buffered;
  }

  /**
   * What has to come before the next event of `entity` whatever the schedule: what the entity did, and with store
   * buffers the store that reaches memory, or those that have reached it before an atomic access.
   */
  clockOf(entity: number, atomic: boolean): Int32Array {
    const { cpuOf, layout } = this.#subject.engine.entity;
    const clock = new Int32Array(layout.entities);
    join(clock, this.lastOf(entity));
    if (!layout.tso) return clock;
    const cpu = cpuOf[entity]!;
    const buffer = layout.drain0 + cpu;
    if (entity === buffer) join(clock, this.events[this.#stores[cpu]![this.#byEntity[entity]!.length]!]);
    else if (atomic) join(clock, this.lastOf(buffer));
    return clock;
  }

  /**
   * Could `event` have happened in the place of event `at`, after all that does not need that one? False means that
   * something it waits for would not be there: the two of them cannot just be turned round.
   * @param loose after some of what does not need event `at`: then others have to be turned round, too
   */
  canComeBefore(event: Event, at: number, loose = false): boolean {
    const { layout, cpuOf } = this.#subject.engine.entity;
    const cpu = cpuOf[event.entity]!;
    if (layout.shared && event.entity < layout.drain0 && !this.#isFree(event.entity, cpu, at, loose)) return false;
    if (event.kind === LOOK) {
      return this.#held(this.pendingWord(cpu), at, event, loose, (now) => (now & ~INTR_STOP) !== 0);
    }
    if (event.kind === PAUSE) {
      return event.waits.some(([word, value]) => this.#held(word, at, event, loose, (now) => now !== value));
    }
    if (event.kind === WAKE) return this.#rungWithout(event, at);
    return !event.mustSucceed || this.#held(event.word, at, event, loose, (now) => now === event.expected);
  }

  /** Is event `place` there when event `at` and what happens after that are not? */
  #staysWithout(place: number, at: number): boolean {
    if (place < at) return true;
    const { entity, rank } = this.events[at]!;
    return place !== at && this.events[place]!.clock[entity]! < rank;
  }

  /** Was the CPU free for the entity, without event `at`? */
  #isFree(entity: number, cpu: number, at: number, loose: boolean): boolean {
    const touched = this.touched(this.#cpuKey(cpu));
    for (let n = touched.length - 1; n >= 0; n--) {
      const place = touched[n]! >>> 1;
      if (!this.#staysWithout(place, at)) continue;
      const event = this.events[place]!;
      if (((event.free >>> entity) & 1) === 1) return true;
      if (!loose || place < at || event.entity === entity) return false;
    }
    return true;
  }

  /** Was the word's value right, without event `at`? */
  #held(word: number, at: number, event: Event, loose: boolean, right: (value: number) => boolean): boolean {
    const touched = this.touched(word);
    let first = writeOf(event.footprint, word)?.old ?? this.#subject.machine.memory.i32[word]!;
    for (let n = touched.length - 1; n >= 0; n--) {
      const place = touched[n]! >>> 1;
      if ((touched[n]! & 1) === 0) continue;
      const { old, now } = writeOf(this.events[place]!.footprint, word)!;
      first = old;
      if (!this.#staysWithout(place, at)) continue;
      if (right(now)) return true;
      if (!loose || place < at) return false;
    }
    return right(first);
  }

  /** Is the bell rung after the entity's event before, which lay down to sleep? */
  #rungWithout({ entity, word }: Event, at: number): boolean {
    const places = this.#byEntity[entity]!;
    const asleep = places[places.length - 1]!;
    return this.touched(word).some((touch) => {
      const place = touch >>> 1;
      return place > asleep && this.events[place]!.kind === NOTIFY && this.#staysWithout(place, at);
    });
  }
}

export function join(clock: Int32Array, event: Event | undefined): void {
  if (!event) return;
  for (let e = 0; e < clock.length; e++) if (event.clock[e]! > clock[e]!) clock[e] = event.clock[e]!;
}
