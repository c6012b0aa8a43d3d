/** pending.ts — for DPOR: who may go on, and what is known of an event before it happens. */
import { DRAIN, LOAD, LOOK, NOTIFY, WAKE } from '../../base/access.js';
import type { Subject } from '../subject.js';
import type { Event, History } from './event.js';
import type { Footprints } from './footprint.js';
import { lowest } from './search.js';

/** an atomic access, which waits until the store buffer of its CPU is empty */
const drains = (kind: number): boolean => kind > LOAD && kind <= NOTIFY && kind !== WAKE;

export class Pending {
  readonly #subject: Subject;
  readonly #footprints: Footprints;
  readonly #history: History;

  constructor(subject: Subject, footprints: Footprints, history: History) {
    this.#subject = subject;
    this.#footprints = footprints;
    this.#history = history;
  }

  /** Entities that may go on, without those whose next access waits for more than the engine says. */
  enabled(): number {
    const { access, entity } = this.#subject.engine;
    const { pendKind, pendWord, pendValue, cpuOf, layout } = entity;
    const { i32 } = this.#subject.machine.memory;
    let mask = access.enabled();
    for (let rest = mask; rest !== 0; rest &= rest - 1) {
      const e = lowest(rest);
      if (e >= layout.drain0) continue;
      if (layout.tso && drains(pendKind[e]!) && access.bufferCount[cpuOf[e]!]! > 0) mask &= ~(1 << e);
      else if (i32[pendWord[e]!] !== pendValue[e] && access.isLastChance(e)) mask &= ~(1 << e);
    }
    return mask;
  }

  /** The next event of `e`. Begins its footprint. */
  event(e: number): Event {
    const { entity, access } = this.#subject.engine;
    const { layout, cpuOf, pendKind, pendWord, pendValue, stateOf } = entity;
    const buffer = e >= layout.drain0;
    const kind = buffer ? DRAIN : pendKind[e]!;
    const word = pendWord[e]!;
    const clock = this.#history.clockOf(e, drains(kind));
    const footprint = this.#footprints.begin();
    const waits = !buffer && stateOf[e] === entity.SPINS ? this.#watched(e) : [];
    if (layout.shared && !buffer) this.#footprints.touch(this.#footprints.cpuKey(cpuOf[e]!), true);
    for (const [w, value] of waits) this.#footprints.touch(w, false, value, value);
    if (kind === LOOK) this.#footprints.touch(this.#history.pendingWord(cpuOf[e]!), false);
    if (kind === NOTIFY && layout.shared) this.#wakes(word);
    return {
      entity: e, rank: clock[e]! + 1, clock, footprint, kind, word, expected: pendValue[e]!, waits,
      mustSucceed: !buffer && access.isLastChance(e), buffered: 0, free: 0,
    };
  }

  #watched(e: number): (readonly [number, number])[] {
    const { watchWords, watchValues, watchCount } = this.#subject.engine.entity;
    return Array.from({ length: watchCount[e]! }, (_, n) => [watchWords[e]![n]!, watchValues[e]![n]!] as const);
  }

  /** A bell that wakes a thread lets its CPU be interrupted. */
  #wakes(word: number): void {
    const { layout, stateOf, sleepWord, cpuOf, ASLEEP } = this.#subject.engine.entity;
    for (let e = 0; e < layout.drain0; e++) {
      if (stateOf[e] !== ASLEEP || sleepWord[e] !== word) continue;
      this.#footprints.touch(this.#footprints.cpuKey(cpuOf[e]!), true);
    }
  }

  /** Entities whose CPUs are free for them. */
  free(): number {
    const { layout, cpuOf, serving, threadOn, stateOf, pinned, DONE, ASLEEP } = this.#subject.engine.entity;
    if (!layout.shared) return -1;
    let mask = 0;
    for (let e = 0; e < layout.drain0; e++) {
      const cpu = cpuOf[e]!;
      const running = threadOn[cpu]!;
      const free = e < layout.irq0
        ? serving[cpu]! < 0 && (running === e || running < 0 || stateOf[running] === DONE || !pinned(cpu))
        : serving[cpu] === e || (!pinned(cpu) && (running < 0 || stateOf[running] !== ASLEEP));
      if (free) mask |= 1 << e;
    }
    return mask;
  }
}
