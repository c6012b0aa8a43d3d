/**
 * race_record.ts — the record of an exploration, `smpalloc-race-1`: what --json writes, checked when it is read again.
 */
import * as v from 'valibot';
import { ACCESS_NAMES } from '../base/access.js';
import { SmpallocError } from '../base/errors.js';
import { FAILURE_CLASSES, type FailureClass } from '../base/failures.js';
import type { Exploration } from '../lab/result.js';

export const RACE_SCHEMA = 'smpalloc-race-1';

const number = v.pipe(v.number(), v.integer());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const measure = v.pipe(v.number(), v.minValue(0));

const FRAMES = ['thread', 'interrupt', 'drain', 'move'] as const;

const StepSchema = v.looseObject({
  step: v.pipe(count, v.minValue(1)), entity: count, cpu: count, frame: v.picklist(FRAMES),
  switched: v.boolean(), op: v.string(), kind: v.picklist(ACCESS_NAMES), word: count, place: v.string(), old: number,
  now: number, result: number, line: v.string(), returned: v.exactOptional(v.string()),
});

const RaceReportSchema = v.looseObject({
  first: count, second: count, word: count, place: v.string(), missing: v.string(),
});

const CounterexampleSchema = v.looseObject({
  cls: v.picklist(Object.keys(FAILURE_CLASSES) as FailureClass[]), message: v.string(),
  cpu: v.pipe(number, v.minValue(-1)), token: v.string(), execution: v.pipe(count, v.minValue(1)), switches: count,
  preemptions: count, shrunkFrom: count, replays: count, columns: v.pipe(v.array(v.string()), v.minLength(1)),
  steps: v.array(StepSchema), race: v.exactOptional(RaceReportSchema),
});

const PassSchema = v.looseObject({
  bound: v.nullable(count), executions: count, cut: count, failures: count, complete: v.boolean(),
});

const ExplorationSchema = v.looseObject({
  schema: v.literal(RACE_SCHEMA),
  scenario: v.string(), title: v.string(), origin: v.string(), cpus: v.array(v.string()),
  machine: v.looseObject({ free: v.string(), stats: v.string(), mutex: v.string(), invariants: v.boolean() }),
  defects: v.array(v.string()), algorithm: v.string(), memory: v.picklist(['sc', 'tso']),
  points: v.picklist(['shared', 'all']), casFails: v.union([count, v.literal('all')]), seed: v.number(),
  estimate: v.nullable(v.looseObject({ schedules: measure, error: measure })), passes: v.array(PassSchema),
  executions: count, accesses: count, seconds: measure, heaps: v.nullable(count), states: v.nullable(count),
  outcomes: v.record(v.string(), count), verdict: v.picklist(['pass', 'fail', 'budget']), complete: v.boolean(),
  counterexamples: v.array(CounterexampleSchema),
});

/**
 * Reads the record of an exploration.
 * @param path for messages
 * @throws SmpallocError ESMP_INPUT naming the field that is wrong
 */
export function parseExploration(text: string, path = 'record'): Exploration {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new SmpallocError('ESMP_INPUT', `${path}: not JSON: ${(cause as Error).message}`, { cause });
  }
  const result = v.safeParse(ExplorationSchema, json);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new SmpallocError('ESMP_INPUT', `${path}: ${v.getDotPath(issue) ?? 'record'}: ${issue.message}`);
}
