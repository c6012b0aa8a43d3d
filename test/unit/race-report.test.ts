/** What an exploration found, as text, XML and JSON. */
import { describe, expect, test } from 'vitest';
import type { Counterexample } from '../../src/lab/result.js';
import { raceJunit } from '../../src/report/race_junit.js';
import { parseExploration } from '../../src/report/race_record.js';
import { traceRows } from '../../src/report/race_rows.js';
import { counterexampleText, explorationText } from '../../src/report/race_text.js';
import {
  balance, counterexample, exploration, failing, hostile, lostTake, own, plain, RCHUNKS, trace,
} from '../helpers/explorations.js';

describe('the text of an exploration', () => {
  test('that passes', () => {
    expect(explorationText(exploration(), plain)).toEqual([
      'free-list: z_RChunks push and take-all (generic)',
      'machine rbatch, critical; memory model sc, scheduling points shared, CAS failures 1, ' +
        'full tree about 2.7e+5 ± 3e+4 schedules',
      '  preemptions <= 0:        6 schedules  all pass',
      '  preemptions <= 1:      138 schedules  all pass   (12 cut)',
      '  preemptions <= 2:    2,376 schedules  all pass',
      'PASS up to 2 preemptions: 2,520 schedules, 0.0 s, 89,000 executions/s',
    ]);
  });

  test('that fails names the classes', () => {
    const lines = explorationText(failing(), plain);
    expect(lines.at(-2)).toBe('  preemptions <= 0:       11 schedules  FAIL');
    expect(lines.at(-1)).toMatch(/^FAIL leak: 2,520 schedules/);
  });

  test('without a verdict, with outcomes, of another search and machine', () => {
    const lines = explorationText(
      exploration({
        verdict: 'budget', complete: false, estimate: null, outcomes: { 'zone kept': 3, 'zone freed': 1200 },
        algorithm: 'pct:3', passes: [{ bound: null, executions: 5, cut: 0, failures: 0, complete: false }], heaps: 1,
        states: 20, defects: ['R47'], machine: { free: 'ipi', stats: 'none', mutex: 'spin', invariants: true },
      }),
      plain,
    ).join('\n');
    expect(lines).toContain('machine ipi, none, spin, invariants; ');
    expect(lines).toContain('; with defect R47');
    expect(lines).toContain('  pct:3:        5 schedules  none failed; not finished');
    expect(lines).toContain('  zone freed       1,200\n  zone kept            3\n  1 final heap, 20 states\n');
    expect(lines).toMatch(/NO VERDICT, the budget has ended; nothing failed in 2,520 schedules/);
  });
});

describe('the columns of a counterexample', () => {
  test('have a row an access, in the column of its CPU', () => {
    expect(`\n${counterexampleText(counterexample(), 'free-list', plain).join('\n')}`).toMatchInlineSnapshot(`
      "
      LEAK: 1 of 2 chunks unreachable
      a block belongs to nobody and is on no list
      found as schedule #11; shrunk 14 -> 3 switches, 1 preemption, 16 replays

            cpu0 remote                           |  cpu1 owner                                 | where
            kfree c0                              |                                             |
         1  load zone 0x40000.z_RChunks -> 0      |                                             | slab_link.ts:88
         2  cas z_RChunks 0 => 0x40400 ok  = true |                                             | slab_link.ts:90
                                                  |  take                                       |
         3>                                       |  load z_RChunks -> 0x40400                  | slab_remote.ts:120
            kfree c1                              |                                             |
         4> cas z_RChunks failed (is 0x40400)     |                                             | slab_link.ts:90
         5>                                       |  st z_RChunks := 0 (was 0x40400)  = 0x40400 | slab_remote.ts:121

      replay: smpalloc race replay free-list a3c7b"
    `);
  });

  test('say each access in words', () => {
    const texts = traceRows(counterexample(), true).map(({ text }) => text);
    expect(texts).toEqual([
      'kfree c0', `load ${RCHUNKS} -> 0`, 'cas z_RChunks 0 => 0x40400 ok  = true',
      'take', 'load z_RChunks -> 0x40400',
      'kfree c1', 'cas z_RChunks failed (is 0x40400)',
      'st z_RChunks := 0 (was 0x40400)  = 0x40400',
    ]);
  });

  test('mark switches', () => {
    const lines = counterexampleText(counterexample(), 'free-list', plain);
    expect(lines.filter((line) => /^ +\d+>/.test(line)).map((line) => Number.parseInt(line, 10))).toEqual([3, 4, 5]);
  });

  test('end with the command that replays it', () => {
    expect(counterexampleText(counterexample(), 'free-list', plain).at(-1)).toBe(
      'replay: smpalloc race replay free-list a3c7b',
    );
  });

  test('of interrupts and store buffers stand with their CPU, and are marked', () => {
    const steps = trace(
      { cpu: 1, kind: 'ld' }, { cpu: 1, kind: 'load', entity: 3, frame: 'interrupt', op: 'splz', switched: true },
      { cpu: 0, kind: 'drain', entity: 4, frame: 'drain', now: 5 },
    );
    const rows = traceRows(counterexample({ steps }), false);
    expect(rows.map(({ column, text }) => [column, text])).toEqual([
      [1, 'kfree c0'], [1, `ld ${RCHUNKS} -> 0`], [1, '! splz'], [1, '! load z_RChunks -> 0'],
      [0, 'D drain z_RChunks := 0x5 (was 0)'],
    ]);
  });

  test('give a second thread of a CPU its own', () => {
    const columns = ['cpu0 a', 'cpu1 b', 'cpu1 c (2nd thread)'];
    const steps = trace({ cpu: 1, kind: 'ld' }, { cpu: 1, kind: 'ld', entity: 2 });
    expect(traceRows(counterexample({ columns, steps }), true).map(({ column }) => column)).toEqual([1, 1, 2, 2]);
  });

  test('name both accesses of a race, and what is missing', () => {
    const race = { first: 4, second: 5, word: 100, place: RCHUNKS, missing: 'the store is plain' };
    const lines = counterexampleText(counterexample({ cls: 'data-race', race }), 'free-list', plain);
    expect(lines.filter((line) => /^ +\d+.*\*/.test(line))).toHaveLength(2);
    expect(lines).toContain(`* ${RCHUNKS}: step 4 (cpu0 cas) and step 5 (cpu1 st)`);
    expect(lines).toContain('  the store is plain');
    const cut = counterexampleText(counterexample({ race: { ...race, first: 0 } }), 'free-list', plain);
    expect(cut.join('\n')).toContain('an access before this trace and step 5 (cpu1 st)');
  });

  test('of a chunk keep the chunk, and a field two places have is said with its place', () => {
    const chunk = 'chunk 0x40400 of zone 0x40000.next';
    const steps = trace(
      { cpu: 0, kind: 'ld', place: chunk, word: 1 }, { cpu: 0, kind: 'ld', place: chunk, word: 1 },
      { cpu: 0, kind: 'ld', place: 'gd cpu0.gd_npoll', word: 2 },
      { cpu: 0, kind: 'ld', place: 'gd cpu1.gd_npoll', word: 3 },
      { cpu: 0, kind: 'ld', place: 'gd cpu0.gd_npoll', word: 2 },
    );
    expect(traceRows(counterexample({ steps }), true).slice(1).map(({ text }) => text)).toEqual([
      `ld ${chunk} -> 0`, 'ld chunk 0x40400.next -> 0', 'ld gd cpu0.gd_npoll -> 0', 'ld gd cpu1.gd_npoll -> 0',
      'ld gd cpu0.gd_npoll -> 0',
    ]);
  });
});

describe('folding', () => {
  const steps = trace(
    ...own(0, 14), { cpu: 0, kind: 'load' }, ...own(1, 1), { cpu: 1, kind: 'st', now: 3 }, ...own(0, 3),
    { cpu: 0, kind: 'ld', returned: '7', word: 5, place: 'gd cpu0.gd_ticks' }, { cpu: 1, kind: 'load' },
  );
  const folded = (c: Counterexample) => traceRows(c, false).filter(({ kind }) => kind !== 'operation');

  test('takes runs on words one CPU alone touches', () => {
    expect(folded(counterexample({ steps })).map(({ first, last, text }) => [first, last, text])).toEqual([
      [1, 14, '... 14 accesses to its own words'],
      [15, 15, `load ${RCHUNKS} -> 0`],
      [16, 16, 'ld gd cpu1.gd_crit -> 0'],
      [17, 17, 'st z_RChunks := 0x3 (was 0)'],
      [18, 21, '... 4 accesses to its own words  = 7'],
      [22, 22, 'load z_RChunks -> 0'],
    ]);
  });

  test('shows everything when asked to', () => {
    const rows = traceRows(counterexample({ steps }), true);
    expect(rows.filter(({ kind }) => kind === 'step')).toHaveLength(steps.length);
  });

  test('keeps the accesses of a race, atomics and the last step', () => {
    const race = { first: 3, second: 21, word: 1002, place: 'x', missing: 'y' };
    const rows = folded(counterexample({ steps: steps.slice(0, 21), race }));
    expect(rows.filter(({ marked }) => marked).map(({ first }) => first)).toEqual([3, 21]);
    const atomics = trace(...own(0, 4).map((step) => ({ ...step, kind: 'store' })), { cpu: 0, kind: 'ld' });
    expect(folded(counterexample({ steps: atomics })).every(({ kind }) => kind === 'step')).toBe(true);
  });

  test('takes the further turns of a wait loop', () => {
    const turn = (n: number) => [
      { cpu: 1, kind: 'load', old: 1 }, { cpu: 1, kind: 'st', word: 7, place: 'gd cpu1.gd_crit', now: n },
      { cpu: 1, kind: 'pause', word: 999 },
    ];
    const loop = trace({ cpu: 0, kind: 'store', now: 1 }, ...Array.from({ length: 5 }, (_, n) => turn(n)).flat(),
      { cpu: 1, kind: 'load' });
    const texts = folded(counterexample({ steps: loop })).map(({ text }) => text);
    expect(texts).toEqual([
      `store ${RCHUNKS} := 0x1 (was 0)`, 'load z_RChunks -> 0x1', 'st gd cpu1.gd_crit := 0 (was 0)', 'pause',
      '... 4 more turns of the same 3 accesses', 'load z_RChunks -> 0',
    ]);
  });

  test('is quick for a livelock', () => {
    const long = trace(...Array.from({ length: 20_000 }, (_, n) => ({ cpu: n & 1, kind: 'load', word: n % 7 })));
    expect(traceRows(counterexample({ steps: long }), false).length).toBeGreaterThan(20_000);
    const alone = trace(...Array.from({ length: 20_000 }, (_, n) => ({ cpu: 0, kind: 'load', word: (n * n) % 101 })));
    expect(traceRows(counterexample({ steps: alone }), false).length).toBeLessThan(20_000);
  });
});

describe('a terminal', () => {
  test.each([200, 120, 100, 80, 60, 40])('of %d columns is not overrun', (width) => {
    const lines = counterexampleText(counterexample(), 'free-list', plain, { width });
    for (const line of lines.slice(4, -2)) expect(line.length).toBeLessThanOrEqual(width);
    expect(lines.join('').replace(/\s/g, '')).toContain('slab_link.ts:88');
  });

  test('too narrow for a column a CPU has one, with the CPU in front', () => {
    const lines = counterexampleText(counterexample(), 'free-list', plain, { width: 60 });
    expect(lines).toContain('   3>cpu1  load z_RChunks -> 0x40400  (slab_remote.ts:120)');
    expect(lines.join('\n')).not.toContain('|');
  });

  test('as narrow as can be gets words broken, and loses none', () => {
    const lines = counterexampleText(counterexample(), 'free-list', plain, { width: 10 });
    expect(lines.join('').replace(/\s/g, '')).toContain(`load${RCHUNKS}->0`.replace(/\s/g, ''));
  });
});

describe('JUnit XML', () => {
  test('has a testcase a scenario', () => {
    const xml = raceJunit([exploration(), failing(), exploration({ verdict: 'budget', complete: false })]);
    expect(xml.split('\n').slice(0, 2)).toEqual([
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<testsuites name="smpalloc race" tests="3" failures="1" errors="0" skipped="1" time="0.085">',
    ]);
    expect(xml).toContain('<testcase name="free-list" classname="race.rbatch.critical" time="0.028">');
    expect(xml).toContain('<failure type="leak" message="1 of 2 chunks unreachable">');
    expect(xml).toContain('cas z_RChunks 0 =&gt; 0x40400 ok');
    expect(xml).toContain('<skipped message="no verdict: ');
    expect(balance(xml.replace(/^<\?.*\?>/, '')).filter((name) => name === 'testcase')).toHaveLength(3);
  });

  test('is well-formed whatever a scenario says', () => {
    const xml = raceJunit([hostile, { ...hostile, verdict: 'budget' }]).replace(/^<\?.*\?>/, '');
    expect(balance(xml)).toEqual(['testsuites', 'testsuite', 'testcase', 'failure', 'testcase', 'skipped']);
    expect(xml.replace(/<[^<>]*>/g, '')).not.toMatch(/[<>]|&(?!(?:amp|lt|gt|quot|#39);)/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are not allowed in XML
    expect(xml).not.toMatch(/[\x00-\x08]|\p{Surrogate}/u);
  });
});

describe('the record', () => {
  test('comes back as it was written', () => {
    for (const x of [exploration(), failing(), hostile, exploration({ casFails: 'all', estimate: null, heaps: 3 })]) {
      expect(parseExploration(JSON.stringify(x))).toEqual(JSON.parse(JSON.stringify(x)));
    }
  });

  test.each([
    ['schema', { schema: 'smpalloc/1' }], ['verdict', { verdict: 'maybe' }], ['executions', { executions: -1 }],
    ['passes.0.bound', { passes: [{ bound: 'x', executions: 1, cut: 0, failures: 0, complete: true }] }],
    ['counterexamples.0.cls', { counterexamples: [{ ...counterexample(), cls: 'bad luck' }] }],
    ['counterexamples.0.steps.0.kind', failing({ steps: trace({ cpu: 0, kind: 'peek' }) })],
    ['counterexamples.0.steps.0.step', failing({ steps: [{ ...lostTake[0]!, step: 0 }] })],
  ])('that is wrong in %s is refused with that name', (field, change) => {
    const read = () => parseExploration(JSON.stringify({ ...exploration(), ...change }), 'run.json');
    expect(read).toThrow(new RegExp(`^run\\.json: ${field.replaceAll('.', '\\.')}: `));
  });

  test('that is no JSON, or no object, is refused', () => {
    expect(() => parseExploration('{"schema"', 'cut.json')).toThrow(/^cut\.json: not JSON: /);
    expect(() => parseExploration('[]')).toThrow(/^record: /);
  });
});
