/** stress_record.ts — what a stress run found: one record a scenario and configuration; several runs of one add up. */
import * as v from 'valibot';
import { SmpallocError } from '../base/errors.js';
import type { StressRecord } from '../lab/stress/record.js';

export const STRESS_SCHEMA = 'smpalloc-race-stress-1';

const Row = v.object({
  result: v.string(),
  samples: v.pipe(v.number(), v.integer(), v.minValue(0)),
  expect: v.picklist(['ACCEPTABLE', 'INTERESTING', 'FORBIDDEN']),
  description: v.string(),
});

const Known = v.object({
  cls: v.string(), token: v.string(), defect: v.string(), preemptions: v.number(), schedules: v.number(),
  failing: v.number(), all: v.boolean(),
});

const StressRecordSchema = v.object({
  schema: v.literal(STRESS_SCHEMA),
  scenario: v.string(),
  title: v.string(),
  origin: v.string(),
  cpus: v.array(v.string()),
  machine: v.object({
    alloc: v.string(), free: v.string(), stats: v.string(), mutex: v.string(), invariants: v.boolean(),
  }),
  defects: v.array(v.string()),
  /** threads are held up where the explorer says */
  widened: v.boolean(),
  seeds: v.array(v.number()),
  workers: v.number(),
  cores: v.number(),
  samples: v.pipe(v.number(), v.integer(), v.minValue(0)),
  seconds: v.number(),
  rows: v.array(Row),
  /** of the failure that is looked for, or could be: what the explorer knows */
  known: v.nullable(Known),
  /** why none of it can be seen on real workers, '' when it can */
  unseen: v.string(),
  environment: v.object({ node: v.string(), cpu: v.string(), os: v.string() }),
});

/** @param name of the file, for messages @throws SmpallocError ESMP_INPUT */
export function parseStress(text: string, name: string): StressRecord[] {
  return text.split('\n').flatMap((line, n) => {
    if (line.trim() === '') return [];
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      const what = `${name}:${n + 1}: no JSON; expected the lines of race stress --json`;
      throw new SmpallocError('ESMP_INPUT', what, { cause });
    }
    const parsed = v.safeParse(StressRecordSchema, value);
    if (parsed.success) return [parsed.output];
    const [issue] = parsed.issues;
    const where = v.getDotPath(issue) ?? 'the line';
    throw new SmpallocError('ESMP_INPUT', `${name}:${n + 1}: ${where}: ${issue.message}`);
  });
}

const keyOf = ({ scenario, machine, defects, widened }: StressRecord): string =>
  JSON.stringify([scenario, machine, [...defects].sort(), widened]);

/** Records of the same scenario, machine and defects become one: their counts add up. In order of first appearance. */
export function mergeStress(records: readonly StressRecord[]): StressRecord[] {
  const merged = new Map<string, StressRecord>();
  for (const record of records) {
    const key = keyOf(record);
    const before = merged.get(key);
    merged.set(key, before ? sum(before, record) : record);
  }
  return [...merged.values()];
}

function sum(a: StressRecord, b: StressRecord): StressRecord {
  const rows = [...a.rows];
  for (const row of b.rows) {
    const at = rows.findIndex(({ result, expect }) => result === row.result && expect === row.expect);
    if (at < 0) rows.push(row);
    else rows[at] = { ...rows[at]!, samples: rows[at]!.samples + row.samples };
  }
  return {
    ...a, rows, samples: a.samples + b.samples, seconds: a.seconds + b.seconds, seeds: [...a.seeds, ...b.seeds],
    known: a.known ?? b.known, cores: Math.min(a.cores, b.cores),
  };
}
