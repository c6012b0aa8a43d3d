/** smpalloc race: scenarios explored, replayed, fuzzed; what a scenario file can do wrong. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { Exploration } from '../../src/lab/result.js';
import { parseExploration } from '../../src/report/race_record.js';
import { root, run, type RunOptions, smpalloc, startSmpalloc } from './helpers/cli.js';

const dir = mkdtempSync(join(tmpdir(), 'race-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** `smpalloc race args`, in the folder of the scenario files. */
const race = (args: string, options: RunOptions = {}) => smpalloc(`race ${args}`, { cwd: dir, ...options });

async function explored(args: string): Promise<Exploration & { code: number | null }> {
  const { code, stdout, stderr } = await race(`explore ${args} --json`);
  expect(stdout, `no record; stderr: ${stderr}`).not.toBe('');
  return { ...parseExploration(stdout), code };
}

/** Writes a scenario file. */
function file(name: string, text: string, from = pathToFileURL(join(root, 'dist/race.js')).href): string {
  const imports = `import { scenario } from '${from}';\n`;
  writeFileSync(join(dir, name), text.includes('scenario(') ? imports + text : text);
  return `./${name}`;
}

const COUNTER = `export default scenario('counter', {
  origin: 'test', cpus: ['adder', 'adder'], setup: (k) => k.words(1), races: false,
  cpu: {
    adder: (k, [word]) => [k.op('add', (c) => {
      if (k.defect('plain')) c.st(word, c.ld(word) + 1);
      else c.add(word, 1);
    })],
  },
  after: (view, [word]) => view.i32[word] === 2 || 'an addition is lost',
  defects: ['plain'],
});`;

describe('explore', () => {
  test('passes with exit code 0, and says how far it has looked', async () => {
    const { code, stdout, stderr } = await race('explore R40');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/preemptions <= 2: +[\d,]+ schedules {2}all pass/);
    expect(stdout).toMatch(/^PASS up to 2 preemptions: [\d,]+ schedules/m);
  });

  test('a failure is exit code 1, columns and a command that shows it again', async () => {
    const { code, stdout } = await race('explore R40 --defect R40');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^LOST-WAKEUP: /m);
    expect(stdout).toMatch(/cpu0 owner +\| +cpu1 remote/);
    const replay = /^replay: smpalloc race (replay R40 \S+ --defect R40)$/m.exec(stdout)![1]!;
    const again = await race(replay);
    expect(again.code).toBe(1);
    expect(again.stdout).toMatch(/^LOST-WAKEUP: /m);
    expect(again.stdout).toMatch(/cpu0 owner +\| +cpu1 remote/);
  });

  test("a user's file, its own defect, and the replay of its token", async () => {
    // smpalloc is not installed beside it
    const path = file('counter.js', COUNTER, 'smpalloc/race');
    expect(await explored(path)).toMatchObject({ code: 0, verdict: 'pass', scenario: 'counter', complete: true });
    const { code, stdout } = await race(`explore ${path} --defect plain`);
    expect(code).toBe(1);
    expect(stdout).toContain('INVARIANT: an addition is lost');
    expect(stdout).toMatch(/counter\.js:\d+/);
    const replay = /^replay: smpalloc race (replay \.\/counter\.js \S+ --defect plain)$/m.exec(stdout)![1]!;
    const json = JSON.parse((await race(`${replay} --json`)).stdout);
    expect(json).toMatchObject({
      schema: 'smpalloc-race-replay-1', verdict: 'fail', counterexample: { cls: 'invariant' },
    });
  });

  test('of a file with several scenarios one can be named', async () => {
    const two = COUNTER.replace('export default scenario', 'export default ["one", "two"].map((n) => scenario')
      .replace("'counter', {", 'n, {').replace(/\}\);$/, '}));');
    const path = file('two.js', two);
    const { stdout } = await race(`explore ${path} --json`);
    expect(stdout.trimEnd().split('\n').map((line) => parseExploration(line).scenario)).toEqual(['one', 'two']);
    expect(await explored(`${path}#two`)).toMatchObject({ scenario: 'two', code: 0 });
    const { code, stderr } = await race(`replay ${path} -`);
    expect(code).toBe(2);
    expect(stderr).toContain('write #NAME behind it, of one, two');
    const { stderr: third } = await race(`explore ${path}#three`);
    expect(third).toContain("there is no scenario 'three' in it; it has one, two");
  });

  test('the example passes, and fails with its defect', async () => {
    const path = join(root, 'examples/race/handover.scenario.js');
    expect(await explored(path)).toMatchObject({ code: 0, verdict: 'pass' });
    const { code, stdout } = await race(`explore ${path} --defect early`);
    expect(code).toBe(1);
    expect(stdout).toContain('DATA-RACE: plain read by cpu1 and plain write by cpu0');
  });

  test('--json prints a record a scenario and line', async () => {
    const { code, stdout, stderr } = await race('explore R40 litmus-sb --defect x --json');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain("'x' is no defect of scenario 'R40'; it has R40");
    const lines = (await race('explore R40 litmus-sb --json')).stdout.trimEnd().split('\n');
    expect(lines.map((line) => parseExploration(line).scenario)).toEqual(['R40', 'litmus-sb']);
  });

  test('all failures, heaps, a page and JUnit', async () => {
    const x = await explored(`R40 --defect R40 --all-failures --count-heaps --html x.html --junit x.xml`);
    expect(x).toMatchObject({ code: 1, verdict: 'fail' });
    expect(x.heaps).toBeGreaterThan(0);
    expect(x.passes.at(-1)!.failures).toBeGreaterThan(1);
    expect(readFileSync(join(dir, 'x.html'), 'utf8')).toContain('<h1>R40</h1>');
    expect(readFileSync(join(dir, 'x.xml'), 'utf8')).toContain('<failure type="lost-wakeup"');
  });

  test.each(['dpor', 'states', 'random', 'pos', 'pct:3'])('--algo %s finds it, too', async (algorithm) => {
    expect(await explored(`R40 --defect R40 --algo ${algorithm} --jobs 1`)).toMatchObject({
      code: 1, algorithm, counterexamples: [expect.objectContaining({ cls: 'lost-wakeup' })],
    });
  });

  test('a budget that ends is exit code 4 and no verdict', async () => {
    const { code, stdout } = await race('explore free-list --preempt 6 --budget 400ms');
    expect(code).toBe(4);
    expect(stdout).toMatch(/^NO VERDICT, the budget has ended; nothing failed in [\d,]+ schedules/m);
  });
});

describe('a search in parts', () => {
  const counts = (x: Exploration) => x.passes.map(({ executions, cut }) => [executions, cut]);

  test('has as many schedules as in one, shard by shard and worker by worker', async () => {
    const whole = await explored('free-list --preempt 3 --jobs 1');
    expect(counts(await explored('free-list --preempt 3 --jobs 2'))).toEqual(counts(whole));
    const shards = await Promise.all([1, 2, 3].map((n) => explored(`free-list --preempt 3 --jobs 1 --shard ${n}/3`)));
    const sums = counts(whole).map((_, pass) => [0, 1].map((n) => (
      shards.reduce((sum, shard) => sum + counts(shard)[pass]![n]!, 0)
    )));
    expect(sums).toEqual(counts(whole));
    expect(shards.every(({ code, complete }) => code === 0 && complete)).toBe(true);
  });

  test('interrupted by its budget and gone on with has the same totals', async () => {
    const whole = await explored('free-list --preempt 3 --jobs 1 --count-heaps');
    const part = 'free-list --preempt 3 --jobs 1 --count-heaps --state part.json';
    let x = await explored(`${part} --budget 200ms`);
    expect(x).toMatchObject({ code: 4, verdict: 'budget', complete: false });
    expect(existsSync(join(dir, 'part.json'))).toBe(true);
    x = await explored(part);
    expect(x.code).toBe(0);
    const { seconds: _, ...rest } = x;
    const { seconds: _w, ...wanted } = whole;
    expect(rest).toEqual(wanted);
    // there is nothing left to go on with
    expect(existsSync(join(dir, 'part.json'))).toBe(false);
  });

  test('a saved search of something else is refused', async () => {
    await race('explore free-list --preempt 3 --budget 100ms --state other.json');
    for (const [args, what] of [
      ['R40', "scenario 'free-list', not 'R40'"],
      ['free-list --algo pos', "algorithm 'bound', not 'pos'"],
      ['free-list --free ipi', "options '', not '--free ipi'"],
      ['free-list --shard 1/2', "shard 'none', not '1/2'"],
    ] as const) {
      const { code, stderr } = await race(`explore ${args} --state other.json`);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(what) });
    }
    writeFileSync(join(dir, 'no.json'), '{}');
    const { code, stderr } = await race('explore R40 --state no.json');
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('is no saved exploration') });
  });

  test('^C prints what is known and saves the rest', async () => {
    const { child, ended } = startSmpalloc('race explore free-list --preempt 9 --json --state stop.json', { cwd: dir });
    child.stdin!.end();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toContain('interrupted');
    expect(parseExploration(stdout)).toMatchObject({ verdict: 'budget', complete: false });
    expect(existsSync(join(dir, 'stop.json'))).toBe(true);
  });
});

describe('replay', () => {
  test('shows the structures before a step', async () => {
    const { code, stdout } = await race('replay R40 b19a --defect R40 --break 45');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^before step 45:\n(?: .*\n)*? +Z_RSIGNAL +0 /m);
  });

  test('passes without the defect', async () => {
    const { code, stdout } = await race('replay R40 b19a');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^PASS: nothing fails on this schedule/m);
  });

  test('real threads do the same', async () => {
    const { code, stdout } = await race('replay R40@b19a --defect R40 --real 20');
    expect(code).toBe(1);
    expect(stdout).toContain('20 of 20 runs on real threads agreed');
  });

  test.each([
    ['replay R40', 'a token is missing'],
    ['replay R40 b1?9', "position 3 has '?'"],
    ['replay R40 b19', 'ends with a count'],
    ['replay R40 R41@b', "is a token of scenario 'R41', not of 'R40'"],
    ['replay R40 c5a', "belongs to another scenario: it names cpu2, 'R40' has cpu0, cpu1"],
    ['replay R40 b/a7', 'belongs to another scenario: it leaves out operation 7'],
    ['replay R40 b9000a', 'cannot be followed: the execution ends after'],
    ['replay R40 - --break 9000', '--break: 9000 is not usable; expected a step from 1 to'],
    ['replay R40 - --real 2 --mm tso', '--real'],
  ])('%s', async (args, message) => {
    const { code, stdout, stderr } = await race(args);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });
});

describe('what is wrong with a scenario is named, and nothing hangs', () => {
  const one = (definition: string) => `export default scenario('s', { origin: 'test', ${definition} });`;
  const ROLE = 'cpu: { a: (k) => [k.op("first", (c) => c.kmalloc(64))] }';
  test.concurrent.each([
    ['throws.js', "throw new TypeError('boom');", /throws\.js: cannot be loaded: TypeError: boom/],
    ['syntax.js', 'export default {', /syntax\.js: cannot be loaded: SyntaxError/],
    ['empty.js', 'export const x = 1;', /empty\.js: has no default export; expected/],
    ['plain.js', "export default { name: 'x' };", /plain\.js: its default export is no scenario/],
    ['role.js', one(`cpus: ['a', 'b'], ${ROLE}`), /role\.js: scenario 's': cpus names the role 'b', but cpu has a/],
    [
      'twice.js', `const s = () => scenario('s', { cpus: ['a'], ${ROLE} });\nexport default [s(), s()];`,
      /two scenarios are called 's'/,
    ],
    ['exits.js', 'process.exit(7);', /exits\.js': its worker has ended: .* 7/],
    ['forever.js', 'for (;;);', /forever\.js': loading it has not ended after 1\.5 s/],
    ['setup.js', one(`cpus: ['a'], setup() { for (;;); }, ${ROLE}`), /setup\.js': setting it up has not ended/],
    ['setupthrows.js', one(`cpus: ['a'], setup() { null.x }, ${ROLE}`), /scenario 's': setup threw TypeError/],
    ['afterthrows.js', one(`cpus: ['a'], after() { null.x }, ${ROLE}`), /scenario 's': after threw TypeError/],
    [
      'yields.js', one(`cpus: ['a'], cpu: { a: (k) => [k.op('one', () => 1), k.op('spin', () => { for (;;); })] }`),
      /scenario 's': operation 'spin' of cpu0 a never yields/,
    ],
    [
      'async.js', one(`cpus: ['a'], cpu: { a: (k) => [k.op('later', async (c) => { await null; c.kmalloc(64); })] }`),
      /scenario 's' is not deterministic: operation 0 is asynchronous.*'later' of cpu0 a/,
    ],
    ['asyncsetup.js', one(`cpus: ['a'], async setup() {}, ${ROLE}`), /scenario 's': setup is asynchronous/],
    [
      'writes.js', `let n = 0;\n${one(`cpus: ['a'], cpu: {
        a: (k) => [k.op('count', (c) => c.kmalloc(n++ % 2 ? 64 : 7000))] }`)}`,
      /scenario 's' is not deterministic: run twice, 'count' of cpu0 a did/,
    ],
    [
      'writes2.js', `let n = 0;\n${one(`cpus: ['a', 'b'], setup: (k) => k.words(1), cpu: {
        a: (k, [w]) => [k.op('look', (c) => { if (c.load(w) === 1 && n++ % 2) c.add(w, 1); })],
        b: (k, [w]) => [k.op('add', (c) => c.add(w, 1))] }`)}`,
      /scenario 's' is not deterministic/,
    ],
  ])('%s', async (name, text, message) => {
    const { code, stdout, stderr } = await race(`explore ${file(name, text)} --patience 1.5s`, { limitMs: 20_000 });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: /);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain('\n');
  });

  test.concurrent.each([
    ['', /race: a command is missing; there are list, show, explore, replay, stress, merge, confirm, fuzz/],
    ['explor R40', /race: no command 'explor'; did you mean 'explore'\?/],
    ['explore', /a scenario is missing/],
    ['explore remote-fre', /no scenario 'remote-fre'; did you mean 'remote-free'\?/],
    ['explore ./nothing.js', /no file '\.\/nothing\.js'/],
    ['explore R40 --defect R41', /'R41' is no defect of scenario 'R40'/],
    ['explore R40 --algo dpr', /--algo: 'dpr' is not usable; did you mean 'dpor'\?/],
    ['explore R40 --algo dpor --shard 1/2', /--shard: dpor is not done in parts/],
    ['explore R40 --algo states --state x', /--state: states cannot be saved/],
    ['explore R40 --shard 3/2', /--shard: "3\/2" is not usable; expected i\/n/],
    ['explore R40 --free rchunk', /--free: 'rchunk' is not usable; did you mean 'rchunks'\?/],
    ['explore R40 --junit no/such/folder.xml', /--junit: there is no folder 'no\/such'/],
    ['explore R40 --mm arm', /--mm: 'arm' is not usable; .*there are sc, tso/],
    ['explore R40 R41 --html x.html', /--html: 2 scenarios are named/],
    ['explore R40 --preemt 2', /unknown option --preemt; did you mean '--preempt'\?/],
    ['explore fuzz:m64.f0.f0', /operation 2 of cpu0, 'f0': its block is freed twice/],
    ['fuzz --cpus 2..9', /--cpus: "2\.\.9" is not usable/],
  ])('race %s', async (args, message) => {
    const { code, stdout, stderr } = await race(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});

test('a loop that waits and does not pause is a livelock, and takes no minutes', async () => {
  const text = `export default scenario('s', { cpus: ['a', 'a'], setup: (k) => k.words(1), cpu: {
    a: (k, [w]) => [k.op('spin', (c) => { while (c.load(w) === 0); })] } });`;
  const { code, stdout } = await race(`explore ${file('busy.js', text)}`, { limitMs: 30_000 });
  expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/LIVELOCK: no end after .*has to pause/) });
});

describe('list', () => {
  const names = (stdout: string) => stdout.trim().split('\n').slice(1).map((line) => line.trim().split(' ')[0]!);

  test('names races, their defects and tokens, and counts their variants', async () => {
    const { code, stdout, stderr } = await race('list');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^R40 +DragonFly +2 +lost-wakeup +R40 +\S+ +\+6 +RSignal is read/m);
    expect(names(stdout)).not.toContain('remote-free');
    expect(stderr).toMatch(/^\d+ races; --all adds variants and programs; smpalloc race show NAME/);
    expect((await race('list --quiet')).stderr).toBe('');
  });

  test('--all puts variants below their race, and programs at the end', async () => {
    const { stdout } = await race('list --all');
    expect(stdout).toMatch(/^R40 .*\n {2}R40-rbatch .*\n {2}R40-rchunks +2 +lost-wakeup +- +\S+ /m);
    expect(stdout).toMatch(/^remote-free +- +3 +pass +- +- +the owner allocates/m);
  });

  test('--json has all there is to know', async () => {
    const { scenarios, kernels, classes } = JSON.parse((await race('list --json')).stdout);
    const named = (name: string) => scenarios.find((one: { name: string }) => one.name === name);
    expect(named('R40')).toMatchObject({
      kind: 'entry', kernel: 'DragonFly', cpus: 2, defects: ['R40'], expect: 'pass', unseen: null,
      failures: [{ defects: ['R40'], cls: 'lost-wakeup', token: expect.any(String) }],
      variants: expect.arrayContaining(['R40-rcount', 'R40-rtagged']), fix: expect.stringContaining('z_RSignal'),
    });
    expect(named('R40').story.length).toBeGreaterThan(2);
    expect(named('R2').unseen).toMatch(/cannot be interrupted/);
    expect(named('R40-rcount')).toMatchObject({ kind: 'variant', of: 'R40', expect: 'lost-wakeup' });
    expect(named('remote-free')).toMatchObject({ kind: 'program', kernel: null, failures: [] });
    expect(kernels).toContain('FreeBSD');
    expect(classes['lost-wakeup']).toMatch(/sleeps/);
  });

  test.concurrent.each([
    ['--kernel freebsd', ['R1', 'R2', 'R3', 'R4'], ['R40']],
    ['--class lost-wakeup', ['R40', 'R47', 'R48'], ['R1', 'ipi-lost']],
    ['--kernel DragonFly --class deadlock', ['R45', 'R46', 'R50'], ['ipi-lost', 'R47']],
    ['STORE buffer', ['R48', 'litmus-sb'], ['R1']],
    ['rbatch', ['R40'], ['R1']],
    // no race says it, so the program that does is shown
    ['two-misses', ['uma-two-misses'], ['R1']],
  ])('%s', async (args, these, notThose) => {
    const { code, stdout } = await race(`list ${args}`);
    expect(code).toBe(0);
    expect(names(stdout)).toEqual(expect.arrayContaining(these));
    for (const name of notThose) expect(names(stdout)).not.toContain(name);
  });

  test.concurrent.each([
    ['R4O', /nothing is 'R4O'; did you mean 'R4'\? there are kernels .*DragonFly \(\d+\), .*classes .*panic \(\d+\)/],
    ['--kernel Linux --class panic', /nothing is --kernel Linux and --class panic; there are kernels/],
    ['--kernel FreeBDS', /--kernel: 'FreeBDS' is not usable; did you mean 'FreeBSD'\?/],
    ['--class lost-wakup', /--class: 'lost-wakup' is not usable; did you mean 'lost-wakeup'\?/],
  ])('%s: is told what there is', async (args, message) => {
    const { code, stdout, stderr } = await race(`list ${args}`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('show', () => {
  test('tells the story, and shows the schedule in columns', async () => {
    const { code, stdout, stderr } = await race('show R40');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^R40: RSignal is read before the chunk is linked/);
    expect(stdout).toMatch(/^fails +lost-wakeup: a CPU sleeps/m);
    expect(stdout).toMatch(/cpu0 owner +\| +cpu1 remote/);
    expect(stdout).toMatch(/^LOST-WAKEUP: 1 zone off ZoneAry/m);
    expect(stdout).toMatch(/^ {2}R40-rcount +lost-wakeup +policy rcount$/m);
    expect(stdout).not.toContain('\x1b');
  });

  test('proposes commands that work', async () => {
    const { stdout } = await race('show R1');
    const tried = stdout.matchAll(/^ {2}smpalloc (race (?:explore|replay) .*?) +# /gm);
    const commands = [...tried].map(([, words]) => words!);
    expect(commands.length).toBeGreaterThan(3);
    const codes = await Promise.all(commands.map(async (words) => (await smpalloc(words)).code));
    expect(codes).toEqual(commands.map((words) => (words.includes('--defect') ? 1 : 0)));
  });

  test('--json has the counterexample, step by step', async () => {
    const json = JSON.parse((await race('show R2 --json')).stdout);
    expect(json).toMatchObject({
      schema: 'smpalloc-race-show-1', name: 'R2', kind: 'entry', kernel: 'FreeBSD', machine: { stats: 'critical' },
      cpus: [{ title: 'cpu0 thread' }, { title: 'cpu0 thread (2nd thread)' }],
      failures: [{ cls: 'stats-drift', means: 'statistics do not balance', counterexample: { cls: 'stats-drift' } }],
      variants: [{ name: 'R2-interrupt' }],
    });
    expect(json.failures[0].counterexample.steps.length).toBeGreaterThan(5);
  });

  test('of a variant and of a program says which it is', async () => {
    expect((await race('show R40-rcount')).stdout).toMatch(/A variant of R40: smpalloc race show R40/);
    expect((await race('show remote-free')).stdout).toMatch(/A program, and no race/);
  });

  test.concurrent.each([
    ['', /race show: a name is missing/],
    ['R4o', /no scenario 'R4o'; did you mean 'R4'\?/],
    ['remote-fre', /no scenario 'remote-fre'; did you mean 'remote-free'\?/],
    ['fuzz:m64.f0', /'fuzz:m64\.f0' is not of the catalogue/],
  ])("'%s' is none", async (name, message) => {
    const { code, stdout, stderr } = await race(`show ${name}`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  test('docs/races/ is what it shows', async () => {
    const script = join(root, 'scripts/race-pages.mjs');
    expect(await run(process.execPath, [script, '--check'])).toMatchObject({ code: 0, stdout: '' });
  });
});

describe('fuzz', () => {
  test('passes, and draws the same programs for the same seed', async () => {
    const runs = await Promise.all([1, 2].map((jobs) => (
      race(`fuzz --scenarios 24 --seed 7 --ops 2..3 --cpus 2 --executions 300 --jobs ${jobs} --json`)
    )));
    const [a, b] = runs.map(({ stdout }) => JSON.parse(stdout));
    expect(a).toMatchObject({ schema: 'smpalloc-race-fuzz-1', verdict: 'pass', programs: 24, failure: null });
    expect({ ...b, seconds: 0 }).toEqual({ ...a, seconds: 0 });
    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
  });

  test('finds a policy that strands zones, and a program as small as can be', async () => {
    const shape = '--cpus 2 --ops 3..4 --preempt 1 --executions 500 --scenarios 64 --seed 2';
    const { code, stdout } = await race(`fuzz --free rchunks --stats none ${shape}`);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^LOST-WAKEUP: /m);
    const name = /replay: smpalloc race replay (fuzz:z1:(?:r\d\+m7000|m7000\+r\d)) \S+ --free rchunks --stats none$/m;
    const [line, program] = name.exec(stdout)!;
    expect((await smpalloc(line.slice('replay: smpalloc '.length))).stdout).toMatch(/^LOST-WAKEUP: /m);
    expect((await race(`explore ${program} --free rtagged`)).code).toBe(0);
  });
});

test('help of every race command begins with examples and names its exit codes', async () => {
  const names = ['', ' list', ' show', ' explore', ' replay', ' fuzz', ' regress'];
  for (const { code, stdout } of await Promise.all(names.map((name) => smpalloc(`race${name} --help`)))) {
    expect(code).toBe(0);
    expect(stdout.match(/^[A-Z][^:\n]*(?=:\n)/gm)?.[0]).toBe('Examples');
    expect(stdout).toMatch(/0 pass, 1 failure found, 2 usage.*4 budget over/);
  }
});
