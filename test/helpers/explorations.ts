/** explorations.ts — explorations made by hand, as a search would find them, and with hostile texts everywhere. */
import type { Counterexample, Exploration, Step } from '../../src/lab/result.js';
import type { Paint } from '../../src/report/text.js';

const same = (text: string) => text;
export const plain: Paint = { good: same, bad: same, strong: same, dim: same };

export const RCHUNKS = 'zone 0x40000.z_RChunks';

/** Steps numbered from 1; `switched` where another entity goes on. */
export function trace(...steps: (Partial<Step> & { kind: string; cpu: number })[]): Step[] {
  return steps.map((own, n) => ({
    step: n + 1, entity: own.cpu, frame: 'thread', switched: n > 0 && steps[n - 1]!.cpu !== own.cpu, op: 'kfree c0',
    word: 100, place: RCHUNKS, old: 0, now: own.old ?? 0, result: own.now ?? own.old ?? 0, line: '', ...own,
  }));
}

/** `count` accesses of a CPU to words of its own. */
export function own(cpu: number, count: number): (Partial<Step> & { kind: string; cpu: number })[] {
  return Array.from({ length: count }, (_, n) => ({
    cpu, kind: n % 2 ? 'st' : 'ld', word: 1000 * (cpu + 1) + n, place: `gd cpu${cpu}.gd_crit`, line: 'critical.ts:20',
  }));
}

export const lostTake = trace(
  { cpu: 0, kind: 'load', line: 'slab_link.ts:88' },
  { cpu: 0, kind: 'cas', old: 0, now: 0x40400, result: 1, line: 'slab_link.ts:90', returned: 'true' },
  { cpu: 1, kind: 'load', old: 0x40400, op: 'take', line: 'slab_remote.ts:120' },
  { cpu: 0, kind: 'cas', old: 0x40400, now: 0x40400, result: 0, op: 'kfree c1', line: 'slab_link.ts:90' },
  { cpu: 1, kind: 'st', old: 0x40400, now: 0, op: 'take', line: 'slab_remote.ts:121', returned: '0x40400' },
);

export const counterexample = (changes: Partial<Counterexample> = {}): Counterexample => ({
  cls: 'leak', message: '1 of 2 chunks unreachable', cpu: -1, token: 'a3c7b', execution: 11, switches: 3,
  preemptions: 1, shrunkFrom: 14, replays: 16, columns: ['cpu0 remote', 'cpu1 owner'], steps: lostTake, ...changes,
});

export const exploration = (changes: Partial<Exploration> = {}): Exploration => ({
  schema: 'smpalloc-race-1', scenario: 'free-list', title: 'z_RChunks push and take-all', origin: 'generic',
  cpus: ['remote', 'owner'], machine: { free: 'rbatch', stats: 'critical', mutex: 'futex', invariants: false },
  defects: [], algorithm: 'bound', memory: 'sc', points: 'shared', casFails: 1, seed: 1,
  estimate: { schedules: 270_000, error: 30_000 },
  passes: [
    { bound: 0, executions: 6, cut: 0, failures: 0, complete: true },
    { bound: 1, executions: 138, cut: 12, failures: 0, complete: true },
    { bound: 2, executions: 2376, cut: 0, failures: 0, complete: true },
  ],
  executions: 2520, accesses: 40_000, seconds: 0.0283, heaps: null, states: null, outcomes: {}, verdict: 'pass',
  complete: true, counterexamples: [], ...changes,
});

export const failing = (changes: Partial<Counterexample> = {}, of: Partial<Exploration> = {}) =>
  exploration({
    verdict: 'fail', counterexamples: [counterexample(changes)],
    passes: [{ bound: 0, executions: 11, cut: 0, failures: 1, complete: false }], ...of,
  });

/** hostile texts everywhere a scenario has a say */
const nasty = '<script>alert("x")</script> & \'quotes\' ]]> \u0007 \ud800 </testcase>';
export const hostile = failing(
  {
    message: nasty, columns: [`cpu0 ${nasty}`, 'cpu1 b'], token: nasty,
    steps: lostTake.map((step) => ({ ...step, op: nasty, place: nasty, line: nasty })),
    race: { first: 4, second: 5, word: 100, place: nasty, missing: nasty },
  },
  { scenario: nasty, title: nasty, origin: nasty, outcomes: { [nasty]: 1 }, defects: [nasty], algorithm: nasty },
);

/** Tags in order; throws when they do not nest. */
export function balance(markup: string, voids: readonly string[] = []): string[] {
  const open: string[] = [];
  const names: string[] = [];
  const tags = /<(\/?)([a-zA-Z][\w-]*)(?:\s+[\w-]+(?:="[^"<]*")?)*\s*(\/?)>/g;
  for (const [tag, slash, name, end] of markup.matchAll(tags)) {
    if (slash) {
      if (open.pop() !== name) throw new Error(`${tag} closes something else`);
    } else {
      names.push(name!);
      if (!end && !voids.includes(name!)) open.push(name!);
    }
  }
  if (open.length > 0) throw new Error(`never closed: ${open}`);
  return names;
}
