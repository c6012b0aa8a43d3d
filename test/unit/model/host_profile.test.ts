/** host_profile.test.ts — a probe of a busy machine is a profile all the same. */
import { expect, it } from 'vitest';
import type { Probe, Sample } from '../../../src/host/probe.js';
import { hostProfile } from '../../../src/lab/model/host_profile.js';

const sample = (median: number): Sample => ({ n: 40, busy: 0, min: median, median, p10: median, p90: median });

it('a line on its way costs no less than an access, whatever a busy host measured', () => {
  const names = [
    'access', 'store', 'cas', 'add', 'turn', 'call', 'touch', 'miss', 'passed', 'seen', 'sleep', 'notify', 'wake',
  ];
  const samples = Object.fromEntries(names.map((name) => [name, sample(20)])) as Probe['samples'];
  const engine = { ns: 90, min: 80, accesses: 27, pairNs: 2430 };
  const { profile } = hostProfile({ cores: 2, samples, seconds: 1 }, engine);
  expect(profile.ns.access).toBe(90);
  expect(profile.ns.transferCluster).toBe(90);
});
