import { describe, expect, test } from 'vitest';
import { COSTS, PROFILE_NAMES, parseProfile, profileByName } from '../../../src/lab/model/profiles.js';

interface Loose {
  cluster: unknown;
  ns: Record<string, unknown>;
  sources: Record<string, unknown>;
}
const good = () => structuredClone(profileByName('chiplets')) as unknown as Loose;

describe('the profiles that come with the project', () => {
  test('are found by their names', () => {
    expect(PROFILE_NAMES).toEqual(['one-socket', 'chiplets', 'two-sockets']);
    for (const name of PROFILE_NAMES) expect(profileByName(name).name).toBe(name);
  });

  test('have a source for every cost, and for nothing else', () => {
    for (const name of PROFILE_NAMES) {
      const { ns, sources } = profileByName(name);
      expect(Object.keys(ns)).toEqual(COSTS);
      expect(Object.keys(sources)).toEqual(COSTS);
    }
  });

  test('differ by topology as they say', () => {
    const [one, chiplets, two] = PROFILE_NAMES.map(profileByName);
    expect([one!.cluster, one!.sockets]).toEqual([256, 1]);
    expect([chiplets!.cluster, chiplets!.sockets]).toEqual([8, 1]);
    expect([two!.cluster, two!.sockets]).toEqual([8, 2]);
    expect(two!.ns.transferRemote).toBeGreaterThan(two!.ns.transferSocket);
  });

  test('a name there is not is met with the names there are', () => {
    expect(() => profileByName('chiplet')).toThrow(
      "no profile 'chiplet'; did you mean 'chiplets'? there are one-socket, chiplets, two-sockets",
    );
  });
});

describe('a profile of the user', () => {
  test('is taken when it has all there is to have', () => {
    expect(parseProfile(good(), 'mine.json')).toEqual(profileByName('chiplets'));
  });

  const cases: [string, (profile: Loose) => unknown, string][] = [
    ['no object', () => 'chiplets', 'mine.json: the file: expected object, found "chiplets"'],
    ['a cost missing', (p) => { delete p.ns.memory; return p; }, 'mine.json: ns.memory: is missing'],
    ['a cost mistyped', (p) => { p.ns.memroy = 1; return p; }, 'mine.json: ns.memroy: there is no such field'],
    ['a cost in words', (p) => { p.ns.pause = '4'; return p; }, 'mine.json: ns.pause: expected number, found "4"'],
    ['a cost below 0', (p) => { p.ns.locked = -1; return p; }, 'mine.json: ns.locked: -1 is below 0'],
    ['no source', (p) => { p.sources.access = ''; return p; }, 'mine.json: sources.access: "" is empty'],
    ['half a CPU', (p) => { p.cluster = 0.5; return p; }, 'mine.json: cluster: 0.5 is not a whole number'],
    ['a far transfer cheaper than a near one', (p) => { p.ns.transferSocket = 9; return p; },
      'mine.json: ns.transferSocket: 9 is less than ns.transferCluster, which is 23'],
  ];
  test.each(cases)('is refused, with the field, for %s', (_, spoil, message) => {
    expect(() => parseProfile(spoil(good()), 'mine.json')).toThrow(message);
  });
});
