/** cell.test.ts — whole cells: the commits' claims at many CPUs, and what a row promises. */
import { describe, expect, it } from 'vitest';
import { runCell } from '../../src/lab/model/cell.js';
import type { Cell } from '../../src/lab/model/measure.js';
import { profileByName } from '../../src/lab/model/profiles.js';
import type { ModelRow } from '../../src/lab/model/row.js';
import { judgeModel } from '../../src/suite/model_claims.js';

const cell = (over: Partial<Cell>): Promise<ModelRow> =>
  runCell(
    {
      cell: 0, workload: 'pair', alloc: 'dragonfly', free: 'rbatch', stats: 'critical', cpus: 2, signalDelay: 'profile',
      profile: profileByName('one-socket'), seed: 1, ops: null, memory: '', tunables: {}, ...over,
    },
    { goesOn: () => true },
  );

describe('a cell of the model', () => {
  it('gives the same row again, to the last digit', async () => {
    const one = await cell({ workload: 'larson', cpus: 3, ops: 5000 });
    const two = await cell({ workload: 'larson', cpus: 3, ops: 5000 });
    expect(two).toEqual(one);
    expect(one.audit).toBe('ok');
  });

  it('gives another for another seed', async () => {
    const one = await cell({ workload: 'local', cpus: 2, ops: 500 });
    const two = await cell({ workload: 'local', cpus: 2, ops: 500, seed: 2 });
    expect(two.counts).not.toEqual(one.counts);
  });

  it.each(['dragonfly', 'freebsd'] as const)('accounts for all CPU time, on %s', async (alloc) => {
    const free = alloc === 'freebsd' ? '-' : 'rchunks';
    const row = await cell({ workload: 'xmalloc', alloc, free, cpus: 4, ops: 4096 });
    const sum = Object.values(row.time).reduce((a, b) => a + b, 0);
    expect(sum).toBeGreaterThan(0.98 * row.cpus * row.ns);
    expect(sum).toBeLessThan(1.02 * row.cpus * row.ns);
    expect(row.audit).toBe('ok');
  });

  it('counts the locked operations that the native machine counts', async () => {
    // mutex: lock and unlock an update, two updates an operation; a local malloc and free take none
    expect((await cell({ workload: 'stats-update', stats: 'mutex', cpus: 1, ops: 200 })).counts.locked).toBe(400);
    expect((await cell({ workload: 'pair', cpus: 1, ops: 200 })).counts.locked).toBe(0);
  });

  it('names every line that moves', async () => {
    const row = await cell({ workload: 'stats-malloc', stats: 'mutex', cpus: 4, ops: 200 });
    const named = row.lines.reduce((sum, { transfers }) => sum + transfers, 0);
    expect(named).toBe(row.counts.transfers);
    expect(row.lines[0]!.line).toMatch(/malloc_type .*mtx/);
  });

  it('does not stand still until the clock ticks: bells are heard by CPUs on their way to sleep', async () => {
    const row = await cell({ workload: 'xmalloc', cpus: 48, ops: 4096 });
    expect(row.ns).toBeLessThan(5_000_000);
  });

  it('says who freed whose chunks', async () => {
    const { remote, counts, cpus } = await cell({ workload: 'ring', free: 'rchunks', cpus: 4, ops: 500 });
    expect(remote!.flat().reduce((a, b) => a + b)).toBe(counts.remoteFrees);
    for (let cpu = 0; cpu < cpus; cpu++) expect(remote![cpu]!.findIndex((n) => n > 0)).toBe((cpu + cpus - 1) % cpus);
  });

  it('shows both regimes of z_RChunks: signals seen at once, and signals that take a while', async () => {
    const prompt = await cell({ workload: 'ring', free: 'rchunks', cpus: 4, signalDelay: 0 });
    const slow = await cell({ workload: 'ring', free: 'rchunks', cpus: 4, signalDelay: 30 });
    const per1000 = ({ counts }: ModelRow) => (1000 * counts.ipiMessages) / counts.remoteFrees;
    expect(per1000(prompt)).toBeGreaterThan(500);
    expect(per1000(slow)).toBeLessThan(10);
  });

  it('lets mutex statistics collapse at 64 CPUs, and critical sections scale', async () => {
    const rows: ModelRow[] = [];
    for (const stats of ['critical', 'mutex'] as const) {
      for (const cpus of [1, 64]) rows.push(await cell({ workload: 'stats-update', stats, cpus, ops: 100 }));
    }
    const claims = judgeModel(rows);
    expect(claims.map(({ id }) => id)).toEqual(['C4 stats-update', 'C3 stats-update', 'audit']);
    for (const { pass, measured } of claims) expect(pass, measured).toBe(true);
  });

  it('runs a recorded trace as recorded, with its zones over time', async () => {
    const row = await cell({ workload: 'trace:kernel-build', free: 'ipi', signalDelay: 'tick', cpus: null });
    expect(row.cpus).toBe(2);
    expect(row.counts.ipiMessages).toBe(row.counts.remoteFrees);
    expect(row.zones!.zones.length).toBeGreaterThan(10);
    for (const { used } of row.zones!.zones) expect(used.length).toBe(row.zones!.ns.length);
    expect(row.audit).toBe('ok');
  });

  it('has room for 256 CPUs', async () => {
    const row = await cell({ workload: 'pair', cpus: 256, ops: 100, profile: profileByName('two-sockets') });
    expect(row.ops).toBe(25_600);
    expect(row.audit).toBe('ok');
  });
});
