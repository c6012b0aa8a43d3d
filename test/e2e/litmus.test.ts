/** smpalloc race litmus: records that add up, tables, and what is refused by name. */
import { expect, test } from 'vitest';
import type { LitmusResult } from '../../src/lab/litmus/outcome.js';
import { smpalloc, startSmpalloc } from './helpers/cli.js';

const litmus = (args: string) => smpalloc(`race litmus ${args}`);

test('the record of SB and MP: a shape is all its tests, counts add up', async () => {
  const { code, stdout, stderr } = await litmus('SB MP:plain MP:atomic-flag --time 20ms --seed 7 --quiet --json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const record = JSON.parse(stdout);
  expect(record).toMatchObject({
    schema: 'smpalloc-race-litmus-1', complete: true, verdict: 'pass', seed: 7, ms: 20,
    environment: { node: process.version },
  });
  const tests: LitmusResult[] = record.tests;
  expect(tests.map(({ test: name }) => name)).toEqual([
    'SB:plain', 'SB:atomic-load', 'SB:atomic-store', 'SB:one-store', 'SB:atomic',
    'MP:plain', 'MP:atomic-flag',
  ]);
  for (const { outcomes, samples, witness, seen, javascript } of tests) {
    expect(samples).toBeGreaterThan(0);
    expect(outcomes.reduce((sum, one) => sum + one.samples, 0)).toBe(samples);
    expect(outcomes.find(({ result }) => result === witness)).toMatchObject({
      samples: seen, expect: javascript === 'allowed' ? 'INTERESTING' : 'FORBIDDEN',
    });
  }
});

test('tables: a test, its program and outcomes, and one of all', async () => {
  const { code, stdout } = await litmus('INC:atomic --time 20ms');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^INC:atomic {2}Atomics\.add {2}[\d,]+ samples, [\d,]+\/s$/m);
  expect(stdout).toContain('Atomics.add(x, 1)  |  Atomics.add(x, 1)  |  then r0 = x');
  expect(stdout).toMatch(/^ {2}RESULT +SAMPLES +FREQ +EXPECT +DESCRIPTION$/m);
  expect(stdout).toMatch(/^ {2}2 +[\d,]+ +100 % +ACCEPTABLE /m);
  expect(stdout).toMatch(/^ {2}1 +0 +0 % +FORBIDDEN /m);
  expect(stdout).toMatch(/^INC:atomic +Atomics\.add +1 +forbidden +forbidden +0 of [\d,]+ +0 %/m);
  expect(stdout).toContain('PASS: nothing was seen that JavaScript forbids');
});

test('^C keeps the tests that are finished', async () => {
  const { child, ended } = startSmpalloc('race litmus SB --time 50ms --quiet');
  child.stdout!.once('data', () => child.kill('SIGINT'));
  const { code, stdout, stderr } = await ended;
  expect(code).toBe(130);
  expect(stdout).toMatch(/^SB:plain .*[\d,]+ of [\d,]+/m);
  expect(stdout).not.toContain('SB:atomic  ');
  expect(stderr).toBe('interrupted: this is what was known\n');
});

test.each([
  ['--time 0', "--time: 0 is not a time; expected such as '40ms', '2s' or '1m'"],
  ['--time never', '--time: "never" is not a time'],
  ['--seed -1', '--seed: -1 is not usable; expected a whole number from 0'],
  ['SBB', "race litmus: no test 'SBB'; did you mean 'SB'? there are SB, MP, LB, IRIW, CoRR, 2+2W, INC, TEAR, PAIR"],
  ['SB:some', "race litmus: no test 'SB:some'; there are SB:plain, SB:atomic-load"],
  ['--duration 1s', 'unknown option --duration'],
])('race litmus %s is refused by name', async (args, message) => {
  const { code, stderr, stdout } = await litmus(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(message);
});
