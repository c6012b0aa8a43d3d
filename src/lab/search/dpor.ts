/**
 * dpor.ts — one schedule of each class: source-DPOR with sleep sets (Abdulla, Aronsson, Jonsson, Sagonas 2014).
 *
 * Two schedules are of one class when they order the same dependent events in the same way; then they end alike. After
 * each event of an execution the search looks for earlier ones it races with, and where such a pair could be turned
 * round, another entity is put on the list of those to be tried there. An entity whose turn was tried at a place sleeps
 * until something it depends on happens; where only sleepers could go on, the execution is cut: it is of a class that
 * was seen.
 *
 * What waits (interrupts, wait loops, sleepers) cannot be put before what it waits for. Then the search looks further
 * back for a place where it could have gone. Entities that still wait at the end are looked at as if they went then.
 *
 * A compare-and-swap that would fail once too often waits, and an atomic access waits until its store buffer is empty:
 * the complete executions are the same as if it were cut there, or emptied the buffer itself.
 *
 * Not preserved: invariants over several words hold in the states that are visited, not in all there are.
 */
import { LOOK, PAUSE, WAKE } from '../../base/access.js';
import type { Subject } from '../subject.js';
import { CountingSearch } from './counting.js';
import { type Event, History, join } from './event.js';
import { type Footprint, Footprints } from './footprint.js';
import { Pending } from './pending.js';
import { lowest, type OnEnd, stayOn } from './search.js';

/** A place where a decision is made. Masks of entities. */
interface Place {
  readonly enabled: number;
  /** tried, or to be tried */
  tried: number;
  /** need not be tried: what they would do was seen, and what it was */
  asleep: number;
  readonly footprints: (Footprint | undefined)[];
  chosen: number;
}

export class DporSearch extends CountingSearch {
  readonly name = 'dpor';
  readonly #places: Place[] = [];
  readonly #footprints: Footprints;
  readonly #history: History;
  readonly #pending: Pending;
  /** decisions made in this execution */
  #at = 0;
  /** the event under way, of the last place */
  #event: Event | null = null;
  #learned: number;

  constructor(subject: Subject, onEnd: OnEnd | null = null) {
    super(subject, onEnd);
    this.#footprints = new Footprints(subject);
    this.#history = new History(subject, this.#footprints.keys, (cpu) => this.#footprints.cpuKey(cpu));
    this.#pending = new Pending(subject, this.#footprints, this.#history);
    this.#learned = subject.engine.shadow.learned.count;
  }

  next(): boolean {
    if (this.complete) return false;
    const { hooks } = this.subject.engine.access;
    this.#at = 0;
    this.#event = null;
    hooks.decide = this.#decide;
    const verdict = this.subject.execute();
    hooks.watch = null;
    if (this.#event) this.#broken();
    this.count(verdict, () => this.#places.map(({ chosen }) => chosen));
    return this.#relearn() || this.#backtrack();
  }

  /** Scheduling points that have moved make the places so far worthless. */
  #relearn(): boolean {
    const { learned } = this.subject.engine.shadow;
    if (this.subject.points === 'all' || learned.count === this.#learned) return false;
    this.#learned = learned.count;
    this.#places.length = 0;
    while (this.#history.length > 0) this.#history.drop();
    this.recount();
    return true;
  }

  readonly #decide = (last: number): number => {
    const at = this.#at++;
    const places = this.#places;
    if (at < places.length - 1) return places[at]!.chosen;
    if (at === places.length - 1 && this.#event === null) return this.#begin(places[at]!.chosen);
    if (this.subject.engine.failure.execution.failure !== null) return -1;
    if (this.#event) this.#finish();
    const enabled = this.#pending.enabled();
    if (enabled === 0) {
      this.#lookAtWaiting();
      return -1;
    }
    const place = this.#open(enabled);
    const awake = enabled & ~place.asleep;
    if (awake === 0) return -1;
    place.chosen = stayOn(this.subject, last, awake);
    place.tried = 1 << place.chosen;
    places.push(place);
    return this.#begin(place.chosen);
  };

  /** A new place: who slept before goes on sleeping unless the last event meets what it would do. */
  #open(enabled: number): Place {
    const place: Place = { enabled, tried: 0, asleep: 0, footprints: [], chosen: -1 };
    const before = this.#places[this.#places.length - 1];
    if (!before || before.asleep === 0) return place;
    const { events } = this.#history;
    this.#footprints.compareWith(events[events.length - 1]!.footprint);
    for (let rest = before.asleep; rest !== 0; rest &= rest - 1) {
      const e = lowest(rest);
      const footprint = before.footprints[e]!;
      if (this.#footprints.meets(footprint)) continue;
      place.asleep |= 1 << e;
      place.footprints[e] = footprint;
    }
    return place;
  }

  #begin(e: number): number {
    this.#event = this.#pending.event(e);
    this.subject.engine.access.hooks.watch = this.#footprints.watch;
    return e;
  }

  #finish(): void {
    const event = this.#event!;
    this.#event = null;
    this.subject.engine.access.hooks.watch = null;
    event.buffered = this.#footprints.buffered;
    event.free = this.#pending.free();
    this.#order(event);
    event.clock[event.entity] = event.rank;
    this.#history.add(event);
  }

  /** The execution failed in the event under way: whoever could have gone instead might lead elsewhere. */
  #broken(): void {
    this.#finish();
    const place = this.#places[this.#places.length - 1]!;
    place.tried |= place.enabled;
  }

  /** Nobody goes on. Those who wait could have gone earlier, in another schedule. */
  #lookAtWaiting(): void {
    const { layout, cpuOf, stateOf, DONE } = this.subject.engine.entity;
    const last = layout.interrupts ? layout.drain0 : layout.irq0;
    for (let e = 0; e < last; e++) {
      if (stateOf[e] === DONE) continue;
      const event = this.#pending.event(e);
      if (event.kind === LOOK) {
        if (!this.#history.touched(this.#history.pendingWord(cpuOf[e]!)).some((touch) => (touch & 1) === 1)) continue;
      } else this.#footprints.touch(event.word, event.kind !== PAUSE && event.kind !== WAKE);
      this.#order(event);
    }
  }

  /** Completes the clock of the event; puts who could have gone before events it races with on their lists. */
  #order(event: Event): void {
    const { events } = this.#history;
    // what it certainly comes after: the events it cannot be put before do not count
    let after = event.clock;
    let candidates = this.#latest(event.footprint);
    for (let n = 0; n < candidates.length; n++) {
      const place = candidates[n]!;
      const other = events[place]!;
      const known = after[other.entity]! >= other.rank;
      if (!known && !this.#history.canComeBefore(event, place)) {
        if (after === event.clock) {
          after = after.slice();
          candidates = this.#all(event.footprint, place);
          n = -1;
        }
        if (this.#history.canComeBefore(event, place, true)) this.#tryAround(place, event);
        join(event.clock, other);
        continue;
      }
      if (!known) this.#tryBefore(place, event);
      join(event.clock, other);
      if (after !== event.clock) join(after, other);
    }
  }

  /** Places of events it depends on directly, the last first: those after the last write of each key, and that. */
  #latest({ keys }: Footprint): number[] {
    const found: number[] = [];
    for (const key of keys) {
      const touched = this.#history.touched(key >>> 1);
      for (let n = touched.length - 1; n >= 0; n--) {
        const wrote = (touched[n]! & 1) === 1;
        if (wrote || (key & 1) === 1) found.push(touched[n]! >>> 1);
        if (wrote) break;
      }
    }
    return found.sort((a, b) => b - a).filter((place, n) => n === 0 || place !== found[n - 1]);
  }

  /** Places before `end` of all events it depends on directly, the last first. */
  #all(footprint: Footprint, end: number): number[] {
    const { events } = this.#history;
    const found: number[] = [];
    this.#footprints.compareWith(footprint);
    for (let place = end - 1; place >= 0; place--) {
      if (this.#footprints.meets(events[place]!.footprint)) found.push(place);
    }
    return found;
  }

  /**
   * The event and the one at `at` could be turned round: one of those with which the execution without that one, and
   * with the event, could begin has to be tried there.
   */
  #tryBefore(at: number, event: Event): void {
    const place = this.#places[at]!;
    const first = this.#firsts(at, event) & place.enabled;
    if (first === 0) place.tried |= place.enabled;
    else if ((first & (place.tried | place.asleep)) === 0) {
      place.tried |= ((first >>> event.entity) & 1) === 1 ? 1 << event.entity : first & -first;
    }
  }

  /** The two of them cannot just be turned round, but with others they might. */
  #tryAround(at: number, event: Event): void {
    const place = this.#places[at]!;
    const itself = place.enabled & (1 << event.entity);
    place.tried |= itself !== 0 ? itself : place.enabled;
  }

  /** Entities whose event is the first, in some order, of those after `at` that do not need it, and of `event`. */
  #firsts(at: number, event: Event): number {
    const { events } = this.#history;
    const { entity, rank } = events[at]!;
    const kept: Event[] = [];
    let seen = 0;
    let first = 0;
    for (let n = at + 1; n <= events.length; n++) {
      const one = events[n] ?? event;
      if (one !== event && one.clock[entity]! >= rank) continue;
      const bit = 1 << one.entity;
      if ((seen & bit) === 0 && !kept.some((other) => one.clock[other.entity]! >= other.rank)) first |= bit;
      seen |= bit;
      kept.push(one);
    }
    return first;
  }

  #backtrack(): boolean {
    const places = this.#places;
    const { events } = this.#history;
    while (places.length > 0) {
      const place = places[places.length - 1]!;
      place.asleep |= 1 << place.chosen;
      place.footprints[place.chosen] = events[events.length - 1]!.footprint;
      this.#history.drop();
      const left = place.tried & ~place.asleep;
      if (left !== 0) {
        place.chosen = lowest(left);
        return true;
      }
      places.pop();
    }
    this.complete = true;
    return false;
  }
}
