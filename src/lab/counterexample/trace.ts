/** trace.ts — every access of an execution, with the names and lines people read. */
import { ACCESS_NAMES } from '../../base/access.js';
import { sourceLine } from '../../host/source_lines.js';
import { symbols } from '../../observe/symbols.js';
import { along, follow, type Followed } from './follow.js';
import type { Frame, Step } from '../result.js';
import type { Subject } from '../subject.js';

export interface Trace {
  readonly followed: Followed;
  readonly steps: readonly Step[];
}

/** frames above an access that may be hw/ and the explorer */
const STACK = 40;
const POINTER = 0x1000;

/** @param schedule whole (follow.ts); what is done before the first decision is in the trace, too */
export function traceSchedule(subject: Subject, schedule: readonly number[]): Trace {
  const recorder = new Recorder(subject);
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK;
  try {
    const followed = follow(subject, along(schedule), recorder.watch);
    recorder.returns();
    return { followed, steps: recorder.steps };
  } finally {
    Error.stackTraceLimit = limit;
  }
}

type Draft = { -readonly [K in keyof Step]: Step[K] };

class Recorder {
  readonly steps: Draft[] = [];
  readonly #subject: Subject;
  readonly #place: (word: number) => string;
  /** by thread: its last step, and how many of its operations have returned */
  readonly #last: (Draft | undefined)[] = [];
  readonly #returned: number[];

  constructor(subject: Subject) {
    this.#subject = subject;
    this.#place = symbols(subject.machine.memory).place;
    this.#returned = subject.threads.map(() => 0);
  }

  readonly watch = (by: number, kind: number, word: number, result: number, old: number, now: number): void => {
    this.returns();
    const { layout, cpuOf, moverThread } = this.#subject.engine.entity;
    const frame = this.#frame(by);
    const entity = frame === 'move' ? moverThread[by - layout.move0]! : by;
    const step: Draft = {
      step: this.steps.length + 1,
      entity,
      cpu: frame === 'move' ? old : cpuOf[entity]!,
      frame,
      switched: this.steps.length > 0 && this.steps.at(-1)!.entity !== entity,
      op: this.#operation(entity, frame),
      kind: ACCESS_NAMES[kind]!,
      word,
      place: this.#place(word),
      old,
      now,
      result,
      line: frame === 'drain' || frame === 'move' ? '' : sourceLine(new Error().stack ?? ''),
    };
    this.steps.push(step);
    this.#last[entity] = step;
  };

  #frame(entity: number): Frame {
    const { irq0, drain0, move0 } = this.#subject.engine.entity.layout;
    if (entity >= move0) return 'move';
    return entity >= drain0 ? 'drain' : entity >= irq0 ? 'interrupt' : 'thread';
  }

  #operation(entity: number, frame: Frame): string {
    if (frame === 'drain') return 'store buffer';
    if (frame === 'interrupt') return 'splz';
    const { engine, threads } = this.#subject;
    return threads[entity]!.operations[engine.entity.opOf[entity]!]?.name ?? '';
  }

  /** Operations that have returned since the last look: noted at the last step of their thread. */
  returns(): void {
    for (const [e, seen] of this.#returned.entries()) {
      const values = this.#subject.results[e]!;
      if (values.length === seen) continue;
      this.#returned[e] = values.length;
      const last = this.#last[e];
      if (last) last.returned = values.slice(seen).map(valueText).join(', ');
    }
  }
}

/** 'undefined' is said by silence; what may be an address is written like one. */
function valueText(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'number' && value >= POINTER ? `0x${value.toString(16)}` : String(value);
}
