/**
 * record.ts — the record of a run: what was asked, where it ran, what came out. `smpalloc/1`.
 *
 * Written by --json, read by whatever compares or merges records; a record is checked against this schema on reading.
 * docs/record.md describes the fields.
 */
import { readFile } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';
import { SmpallocError } from '../base/errors.js';
import { ALLOC_NAMES, FREE_NAMES, STATS_NAMES } from '../base/policy.js';

export const RECORD_SCHEMA = 'smpalloc/1';

const count = v.pipe(v.number(), v.minValue(0));
const profile = v.array(
  v.looseObject({ size: v.nullable(count), requests: count, asked: count, given: count, largest: count }),
);
const rowBase = {
  alloc: v.picklist([...ALLOC_NAMES, 'netbsd']),
  free: v.picklist([...FREE_NAMES, '-']),
  stats: v.picklist(STATS_NAMES),
  cpus: v.pipe(v.number(), v.integer(), v.minValue(1)),
  audit: v.string(),
  failed: v.optional(count),
  profile: v.optional(profile),
  /** the row's own figure, round by round */
  samples: v.optional(v.array(count)),
  wallSeconds: v.optional(count),
};
/** fields of later records: one that was written before them is a record all the same */
const traffic = {
  remoteFrom: v.optional(v.picklist(['zones', 'trace', 'loop'])),
  pagesPeak: v.optional(count),
  askedPeak: v.optional(v.nullable(count)),
  waste: v.optional(v.nullable(count)),
};
const traceCounts = {
  ...traffic, lockedPerOp: v.optional(v.nullable(count)),
  trace: v.string(), allocations: count, frees: count, remoteFrees: count, ipiMessages: count, ipiInterrupts: count,
  ipiAvoided: count, per1000: count, casTries: count, casFails: count, zonesPeak: count, zonesEnd: count,
  stranded: count, mops: count, cpuSeconds: v.nullable(count), signalDelay: v.union([v.number(), v.literal('tick')]),
};

const model = {
  cell: count, workload: v.string(), costs: v.string(), ops: count, ns: count, opsPerUs: count,
  signalDelay: v.union([v.number(), v.picklist(['tick', 'profile'])]),
  counts: v.looseObject({
    accesses: count, locked: count, transfers: count, upgrades: count, invalidations: count, misses: count,
    remoteFrees: count, ipiMessages: count, ipiInterrupts: count, handlerRuns: count, handled: count, casTries: count,
    casFails: count, sleeps: count,
  }),
  time: v.looseObject({
    own: count, locked: count, memory: count, transfer: count, queue: count, ipi: count, spin: count, sleep: count,
    idle: count,
  }),
  lines: v.array(v.looseObject({
    line: v.string(), transfers: count, invalidations: count, locked: count, queueNs: count, waitNs: count,
  })),
  remote: v.optional(v.array(v.array(count))),
  latency: v.optional(v.looseObject({ ns: v.array(count), count: v.array(count) })),
  zones: v.optional(v.looseObject({
    ns: v.array(count),
    zones: v.array(v.looseObject({ zone: v.string(), cpu: count, chunk: count, used: v.array(count) })),
  })),
};

const Row = v.variant('suite', [
  v.looseObject({ suite: v.literal('model'), ...rowBase, ...model }),
  v.looseObject({ suite: v.literal('ipi'), ...rowBase, ...traceCounts, reduction: count, passes: count }),
  v.looseObject({ suite: v.literal('replay'), ...rowBase, ...traceCounts, format: v.string() }),
  v.looseObject({
    suite: v.literal('stats'), ...rowBase, where: v.picklist(['update', 'malloc']), mops: count, ratioToCritical: count,
    ratioLow: count, ratioHigh: count, lockedPerOp: count, rounds: count, cpuSeconds: v.nullable(count),
  }),
  v.looseObject({
    suite: v.picklist(['pair', 'local', 'larson', 'xmalloc', 'ring']), ...rowBase, ...traffic, nsPerPair: count,
    nsMin: count, nsMax: count, mops: count, remoteFrees: count, ipiMessages: count, ipiInterrupts: count,
    zonesPeak: count, lockedPerOp: v.nullable(count), rounds: count, cpuSeconds: v.nullable(count),
    ratioToDragonfly: v.optional(count), ratioLow: v.optional(count), ratioHigh: v.optional(count),
    peers: v.optional(v.record(v.string(), count)),
  }),
]);

const Claim = v.object({
  id: v.string(), source: v.string(), text: v.string(), pass: v.boolean(), measured: v.string(),
});

const RecordSchema = v.looseObject({
  schema: v.literal(RECORD_SCHEMA),
  environment: v.looseObject({
    smpalloc: v.string(), node: v.string(), v8: v.string(), os: v.string(), arch: v.string(), cpu: v.string(),
    cores: count, time: v.string(), flavour: v.picklist(['release', 'invariants']), warnings: v.array(v.string()),
  }),
  config: v.looseObject({ command: v.string(), seed: v.number(), cpus: count }),
  rows: v.array(Row),
  claims: v.array(Claim),
  /** false: the run was interrupted, and the rows are what was known by then */
  complete: v.boolean(),
});

export type RunRecord = v.InferOutput<typeof RecordSchema>;

/**
 * Reads a record.
 * @param path a file, or '-' for standard input
 * @param signal ends waiting for standard input
 * @throws SmpallocError ESMP_INPUT naming the field that is wrong
 */
export async function readRecord(path: string, signal?: AbortSignal): Promise<RunRecord> {
  const written = await (path === '-' ? standardInput(signal) : readFile(path, 'utf8')).catch((cause: Error) => {
    throw new SmpallocError('ESMP_INPUT', `${path}: ${cause.message}`, { cause });
  });
  return parseRecord(written, path);
}

/** A file of its name could be opened, but not where it is a socket. */
function standardInput(signal?: AbortSignal): Promise<string> {
  return text(signal ? addAbortSignal(signal, process.stdin) : process.stdin);
}

export function parseRecord(text: string, path = 'record'): RunRecord {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new SmpallocError('ESMP_INPUT', `${path}: not JSON: ${(cause as Error).message}`, { cause });
  }
  const result = v.safeParse(RecordSchema, json);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new SmpallocError('ESMP_INPUT', `${path}: ${v.getDotPath(issue) ?? 'record'}: ${issue.message}`);
}
