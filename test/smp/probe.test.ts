/** The probe on this machine: numbers nobody can foresee, so only what must hold of them anywhere. */
import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { probe } from '../../src/lab/model/host_profile.js';
import { COSTS, parseProfile, profileByName } from '../../src/lab/model/profiles.js';

describe('the probe', () => {
  test.skipIf(availableParallelism() < 2)('measures every cost, and a line on its way costs more than one here', async () => {
    const { profile, probe: measured } = await probe();
    expect(parseProfile(profile)).toEqual(profile);
    for (const cost of COSTS) expect(profile.ns[cost]).toBeGreaterThanOrEqual(0);
    for (const [name, { n, min, median, p90 }] of Object.entries(measured.samples)) {
      expect(n, name).toBeGreaterThan(0);
      expect(min, name).toBeLessThanOrEqual(median);
      expect(median, name).toBeLessThanOrEqual(p90);
    }
    const { ns, sources } = profile;
    expect(ns.access).toBeGreaterThan(0);
    expect(ns.transferCluster).toBeGreaterThan(ns.access);
    expect(ns.memory).toBeGreaterThan(ns.access);
    expect(ns.futexWake).toBeGreaterThan(ns.transferCluster);
    expect(Object.values(sources).filter((source) => source.startsWith('not measured'))).toEqual([]);
  });

  test('says of one core what it did not measure there, and takes that from one-socket', async () => {
    const { profile, notes, probe: measured } = await probe({ cores: 1 });
    expect(Object.keys(measured.samples)).not.toContain('passed');
    expect(profile.ns.transferCluster).toBe(profileByName('one-socket').ns.transferCluster);
    expect(profile.sources.transferCluster).toBe('not measured, as this takes two cores: that of one-socket');
    expect(profile.sources.access).toMatch(/^measured: /);
    expect(notes).toEqual([expect.stringMatching(/^1 core: transfers, .* take two cores and were not measured/)]);
  });

  test('ends with the signal', async () => {
    const abort = new AbortController();
    const probing = probe({ signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(probing).rejects.toThrow('enough');
    await expect(probe({ signal: abort.signal })).rejects.toThrow('enough');
  });

  test('ends when it takes longer than it is given', async () => {
    await expect(probe({ patience: 1 })).rejects.toThrow('probe: not done within 1 ms');
  });
});
