import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { follow } from '../../src/lab/counterexample/follow.js';
import { prepareForToken, replaySchedule, replayToken } from '../../src/lab/counterexample/replay.js';
import { scenario } from '../../src/lab/scenario.js';
import { prepareSubject, type Subject } from '../../src/lab/subject.js';
import { decode, encode, parseReference, parseToken } from '../../src/lab/counterexample/token.js';

/** two CPUs, one with a second thread; messages, so that interrupts arrive; plain and atomic accesses */
const mixed = scenario('mixed', {
  origin: 'generic',
  cpus: ['sender', 'worker'],
  threads: { 1: 'worker' },
  races: false,
  rules: false,
  setup: (k) => {
    const [word, other] = k.words(2);
    return { word: word!, other: other!, seen: k.handler((c) => void c.add(other!, 1)) };
  },
  cpu: {
    sender: (k, s) => [
      k.op('send', (c) => c.send(1, s.seen)), k.op('look', (c) => c.ld(s.word)), k.op('add', (c) => c.add(s.other, 1)),
    ],
    worker: (k, s, index) => [
      k.op('write', (c) => c.st(s.word, c.ld(s.word) + index)), k.op('add', (c) => c.crit(() => c.add(s.other, 1))),
    ],
  },
});
const tso = { ...mixed, name: 'mixed-tso', memory: 'tso' as const };

/** A schedule nobody planned. */
function wander(subject: Subject, picks: readonly number[]): readonly number[] {
  return follow(subject, (stay, enabled, decision) => {
    const pick = picks[decision % picks.length]!;
    const there = Array.from({ length: 31 }, (_, e) => e).filter((e) => (enabled >>> e) & 1);
    return pick < 0 ? stay : there[pick % there.length]!;
  }).schedule;
}

/** mostly the default, or a token would be as long as its schedule */
const pick = fc.oneof({ weight: 4, arbitrary: fc.constant(-1) }, fc.nat(30));
const picks = fc.array(pick, { minLength: 1, maxLength: 60 });

describe.each([['sc', mixed], ['tso', tso]] as const)('a token, memory model %s,', (_, one) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await prepareSubject(one);
  });

  test('stands for one schedule, and that schedule has one token', () => {
    fc.assert(
      fc.property(picks, (list) => {
        const schedule = wander(subject, list);
        const token = encode(schedule, subject);
        expect(decode(token, subject)).toEqual(schedule);
        expect(encode(decode(token, subject), subject)).toBe(token);
      }),
      { numRuns: 150 },
    );
  });

  test('means the same to who has learned nothing, and to who has', async () => {
    const token = encode(wander(subject, [-1, -1, 1, -1, 0, -1, -1, -1, 2]), subject);
    const there = decode(token, subject);
    const fresh = await prepareSubject(one);
    expect(decode(token, fresh)).toEqual(there);
    subject.engine.access.hooks.decide = () => -1;
    subject.execute();
    expect(decode(token, subject)).toEqual(there);
  });
});

describe('a token', () => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await prepareSubject(mixed);
  });
  const message = (token: string) => {
    try {
      decode(token, subject);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ESMP_INPUT' });
      return (error as Error).message;
    }
    return 'none';
  };

  test('- is the default schedule', () => {
    const { schedule, deviations, switches, preemptions, diverged, verdict } = replayToken(subject, '-');
    expect(deviations).toEqual([]);
    expect(preemptions).toBe(0);
    expect(diverged).toBeNull();
    expect(verdict.failure).toBeNull();
    expect(switches).toBeGreaterThan(0);
    expect(encode(schedule, subject)).toBe('-');
  });

  test.each([
    ['', "token '': position 1 is empty; expected a count and a letter, as in a3c7b"],
    ['3', "token '3': position 2 ends with a count; expected"],
    ['a3?b', "token 'a3?b': position 3 has '?'; expected a count and a letter"],
    ['ay', "token 'ay': position 2 has 'y'"],
    ['a-', "token 'a-': position 2 has '-'"],
    ['b/', "token 'b/': position 3 names no operation; expected thread letters with the number of an operation"],
    ['b/a1.', "token 'b/a1.': position 6 names no operation"],
    ['b/i1', "token 'b/i1': position 3 has 'i1'"],
    ['b/a1/b2', "token 'b/a1/b2': position 5 is a second /"],
    ['1234567a', "token '1234567a': position 7 has '7'"],
  ])('%j is refused, with its position', (token, text) => {
    expect(message(token)).toContain(text);
  });

  test('of another scenario is refused, with what this one has', () => {
    const has = "'mixed' has cpu0, cpu1, cpu1's 2nd thread, cpu0's interrupt, cpu1's interrupt";
    const other = 'this token belongs to another scenario';
    expect(message('d')).toBe(`token 'd': ${other}: it names cpu3, ${has}`);
    expect(message('2l')).toBe(`token '2l': ${other}: it names cpu3's interrupt, ${has}`);
    expect(message('r')).toBe(`token 'r': ${other}: it names second thread 1, ${has}`);
    expect(message('A')).toBe(`token 'A': ${other}: it names cpu0's store buffer, ${has}`);
    expect(message('b/a0')).toBe("token 'b/a0': the scenario was prepared with other operations than it names");
  });

  test('that cannot be followed is refused, with the decision and who was enabled', () => {
    expect(message('2i')).toBe(
      "token '2i': decision 3 goes to cpu0's interrupt, and cannot be followed: cpu0's interrupt is not enabled " +
        "there; enabled: cpu0, cpu1, cpu1's 2nd thread",
    );
    expect(message('900b')).toMatch(
      /^token '900b': decision 901 goes to cpu1, and .*: the execution ends after \d+ decisions$/,
    );
  });

  test('that cannot be followed is followed as far as it can be, when asked leniently', () => {
    const { diverged, verdict, schedule } = replayToken(subject, '2i1b', { strict: false });
    expect(diverged).toBe(3);
    expect(verdict.ended).toBe(true);
    expect(schedule[3]).toBe(1);
    const strict = replaySchedule(subject, [3, 0]);
    expect(strict).toMatchObject({ diverged: 1, verdict: { ended: false } });
    expect(replaySchedule(subject, [3, 0], { strict: false }).verdict.ended).toBe(true);
  });

  test('leaves out operations', async () => {
    const smaller = await prepareForToken(mixed, 'b/a0.q1');
    expect(smaller.threads.map(({ operations }) => operations.map(({ name }) => name))).toEqual([
      ['look', 'add'], ['write', 'add'], ['write'],
    ]);
    expect(encode(decode('b/a0.q1', smaller), smaller)).toBe('b/a0.q1');
    await expect(prepareForToken(mixed, 'b/h0')).rejects.toThrow(/another scenario: it leaves out operation 0/);
    await expect(prepareForToken(mixed, 'b/a7')).rejects.toThrow(/operation 7 of a thread that has/);
  });

  test('comes with a name, or without', () => {
    expect(parseReference('R40@a3c7b')).toEqual({ name: 'R40', token: 'a3c7b' });
    expect(parseReference('odd@name@-')).toEqual({ name: 'odd@name', token: '-' });
    expect(parseReference('a3c7b')).toEqual({ name: null, token: 'a3c7b' });
    expect(parseToken('12bA/c3').deviations).toEqual([
      { after: 12, entity: -1, letter: 'b' }, { after: 0, entity: -1, letter: 'A' },
    ]);
  });
});
