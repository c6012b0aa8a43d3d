/** Whatever CPUs allocate and free for each other, nothing is lost and nothing is counted twice. */
import { expect, test } from 'vitest';
import type { FreePolicy, StatsPolicy } from '../../src/index.js';
import { FREE_NAMES } from '../../src/base/policy.js';
import { audited, machine, smpalloc, workload } from './helpers/machine.js';
import { conserves, LOADS, type LoadName } from './helpers/workloads.js';

const NAMES: readonly LoadName[] = ['larson', 'xmalloc', 'ring'];

const everyPolicy = FREE_NAMES.flatMap((free) => NAMES.map((name): [FreePolicy, LoadName] => [free, name]));

test.each(everyPolicy)('remote frees by policy %s lose nothing under %s', async (free, name) => {
  await conserves(name, { free });
});

const checked: [FreePolicy, LoadName][] = [
  ['ipi', 'larson'], ['rcount', 'xmalloc'], ['rsignal2', 'ring'], ['locked', 'larson'], ['rtagged', 'ring'],
  ['rbatch', 'larson'], ['rbatch', 'xmalloc'],
];

test.each(checked)('and with every chunk checked: policy %s under %s', async (free, name) => {
  await conserves(name, { free, invariants: true });
});

const statistics: [StatsPolicy, LoadName][] = (['atomic', 'unpadded', 'mutex', 'none'] as const).flatMap((stats) =>
  NAMES.map((name): [StatsPolicy, LoadName] => [stats, name]),
);

test.each(statistics)('statistics by policy %s agree with the zones under %s', async (stats, name) => {
  await conserves(name, { stats });
});

test('statistics with plain stores for a lock are right on one CPU', async () => {
  const m = await machine({ cpus: 1, stats: 'mutex-up' });
  const load = await LOADS.larson(m);
  await load.go();
  expect(await audited(m)).toBe(load.resting);
  await load.clear();
  expect(await audited(m)).toBe(0);
  expect(smpalloc.mallocTypes(m.memory)).toMatchObject([{ inuse: 0, memuse: 0 }]);
});

test.each(['rbatch', 'rsignal2'] as const)('four CPUs conserve as well, policy %s', async (free) => {
  for (const name of NAMES) await conserves(name, { free, cpus: 4 });
});

test('a full clean-up gives every page back but the zones in use', async () => {
  const m = await machine();
  const load = await LOADS.larson(m);
  await load.go();
  await load.clear();
  await workload(m, 'cleanup');
  expect(await audited(m)).toBe(0);
  expect(m.sysctl('kern.zone_gen_alloc')).toBe(0);
  expect(m.sysctl('kern.slab.zones')).toBe(0);
});
