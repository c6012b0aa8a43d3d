/**
 * real.ts — what was explored, confirmed on real threads: the accesses of an execution made in their order by one
 * worker an entity, by real Atomics on one shared memory, and compared: each access, and the memory at the end.
 *
 * A store buffer cannot be told when to drain, and a worker is one CPU for its life: this is for sequentially
 * consistent schedules in which no thread moves.
 */
import { ACCESS_NAMES } from '../../base/access.js';
import type { BatonStep } from '../../base/baton.js';
import { SmpallocError } from '../../base/errors.js';
import { Baton, type BatonRun } from '../../host/baton.js';
import { format } from '../../host/format.js';
import { symbols } from '../../observe/symbols.js';
import { along, follow, type Followed } from '../counterexample/follow.js';
import { titleOf } from '../counterexample/letters.js';
import type { RealSetup } from './real_entity.js';
import type { Reference } from './reference.js';
import type { Subject } from '../subject.js';

export interface RealReplay {
  readonly runs: number;
  /** runs in which every access and the memory at the end were as explored */
  readonly agreed: number;
  /** what was different, each difference once */
  readonly differences: readonly string[];
}

interface Expected {
  readonly steps: readonly BatonStep[];
  readonly followed: Followed;
  /** the memory as every execution finds it, and as this one left it before anybody judged it */
  readonly before: Int32Array;
  readonly after: Int32Array;
}

/**
 * @param schedule whole (follow.ts)
 * @param reference from where a worker loads the subject's scenario
 * @param times runs
 * @throws SmpallocError ESMP_OPTION for TSO or a thread that moves, ESMP_INPUT, ESMP_TIMEOUT, ESMP_HALTED; the
 *   signal's reason
 */
export async function replayReal(
  subject: Subject, schedule: readonly number[], reference: Reference, times: number, signal?: AbortSignal,
): Promise<RealReplay> {
  if (subject.memory === 'tso') {
    const why = 'store buffers cannot be steered on real workers; memory model sc only';
    throw new SmpallocError('ESMP_OPTION', `--real: ${why}`);
  }
  const expected = explore(subject, schedule);
  if (expected.followed.schedule.some((entity) => entity >= subject.engine.entity.layout.move0)) {
    const why = 'a thread moves to another CPU here, and a worker is one CPU for its life';
    throw new SmpallocError('ESMP_OPTION', `--real: ${why}`);
  }
  const { on: _, ...options } = subject.options;
  const { configuration } = subject.machine;
  const heap = format(configuration);
  const memory = new Int32Array(heap);
  const blank = memory.slice();
  const baton = new Baton<RealSetup>(heap, expected.steps);
  const differences = new Set<string>();
  let agreed = 0;
  try {
    await baton.start({ reference, options, configuration }, () => memory.set(blank), signal);
    for (let run = 0; run < times; run++) {
      memory.set(expected.before);
      const difference = compare(subject, expected, await baton.run(signal), memory);
      if (difference === null) agreed++;
      else differences.add(difference);
    }
  } finally {
    await baton.stop();
  }
  return { runs: times, agreed, differences: [...differences] };
}

/** The execution as the explorer makes it: every access, and then the memory when the last one has been made. */
function explore(subject: Subject, schedule: readonly number[]): Expected {
  const { i32 } = subject.view;
  const { changedWords, undo } = subject.engine.journal;
  const steps: BatonStep[] = [];
  const followed = follow(subject, along(schedule), (entity, kind, word, result) => {
    steps.push({ entity, kind, word, result });
  });
  let made = 0;
  let changed = new Map<number, number>();
  follow(subject, along(schedule), () => {
    if (++made === steps.length) changed = changedWords();
  });
  undo();
  const before = i32.slice();
  const after = before.slice();
  for (const [word, value] of changed) after[word] = value;
  return { steps, followed, before, after };
}

/** @returns null when all was as expected */
function compare(
  subject: Subject, expected: Expected, { differs, thrown }: BatonRun, memory: Int32Array,
): string | null {
  const { place } = symbols(subject.machine.memory);
  const { failure } = expected.followed.verdict;
  for (const [entity, text] of thrown) {
    if (failure?.cls === 'exception' || (failure?.cls === 'panic' && text.startsWith('KernelPanic'))) continue;
    return `${titleOf(subject, entity)} threw ${text}`;
  }
  if (differs) {
    const there = expected.steps[differs.step - 1];
    const name = (kind: number, word: number, result: number) => `${ACCESS_NAMES[kind]} ${place(word)} -> ${result}`;
    const was = differs.kind < 0 ? 'nothing more' : name(differs.kind, differs.word, differs.result);
    const explored = there ? name(there.kind, there.word, there.result) : 'nothing';
    return `step ${differs.step}: ${titleOf(subject, differs.entity)} made ${was}, explored was ${explored}`;
  }
  const word = memory.findIndex((value, at) => value !== expected.after[at]);
  return word < 0 ? null : `at the end ${place(word)} is ${memory[word]}, explored was ${expected.after[word]}`;
}
