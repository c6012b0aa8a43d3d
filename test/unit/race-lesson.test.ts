/** Every race of the catalogue has a lesson; what show and docs/races/ make of one. */
import { describe, expect, test } from 'vitest';
import { entryOf, kindOf, variantsOf } from '../../src/lab/catalogue/entries.js';
import { catalogue, findScenario } from '../../src/lab/catalogue/index.js';
import { type MeasuredEntry, readMeasured, seenOnThreads } from '../../src/lab/catalogue/measured.js';
import { catalogueList, type Listed, type Shown, type ShownFailure } from '../../src/lab/farm/show.js';
import { expectedFailures } from '../../src/lab/farm/regress.js';
import { KERNELS } from '../../src/lab/scenario.js';
import { lessonText, nextCommands } from '../../src/report/race_lesson.js';
import { lessonPage } from '../../src/report/race_lesson_page.js';
import { costText, threadsText } from '../../src/report/race_measured.js';
import { counterexample, own, plain, trace } from '../helpers/explorations.js';

const failure = (changes: Partial<ShownFailure> = {}): ShownFailure => ({
  defects: ['R99'], cls: 'leak', token: 'a3c7b', means: 'a block belongs to nobody', what: 'the list is cut off',
  counterexample: counterexample(), ...changes,
});

const variant: Listed = {
  name: 'R99-rcount', kind: 'variant', of: 'R99', title: 'a list | a lost end; policy rcount', kernel: 'DragonFly',
  origin: 'DragonFly df9daea8', story: [], fix: null, unseen: null, seen: null, cpus: 2, defects: [], expect: 'leak',
  failures: [{ defects: [], cls: 'leak', token: 'b' }], variants: [],
};

const shown = (changes: Partial<Shown> = {}): Shown => ({
  schema: 'smpalloc-race-show-1', name: 'R99', kind: 'entry', of: null, title: 'a list | a lost end',
  kernel: 'DragonFly', origin: 'DragonFly 5fee07e6', story: ['One CPU takes *all*.', 'The other is late.'],
  fix: 'One swap.', unseen: null, seen: null, defects: ['R99'], expect: 'pass',
  failures: [failure()], variants: [variant],
  machine: { free: 'rtagged', tunables: { 'kern.zone_cache': 0 } }, memory: 'sc',
  cpus: [{ title: 'cpu0 remote', operations: ['kfree c0', 'kfree c1'] }, { title: 'cpu1 owner', operations: [] }],
  environment: null, measured: null, ...changes,
});

const measured: MeasuredEntry = {
  explored: {
    found: { execution: 13, preemptions: 1, seconds: 0.25 },
    clean: { schedules: 1880, preemptions: 2, seconds: 0.5, complete: true },
  },
  replayed: { runs: 100, agreed: 100 },
  stress: [{
    seconds: 2, samples: 1_000_000, widened: true,
    rows: [
      { result: 'ok', samples: 999_988, expect: 'ACCEPTABLE', description: 'all there' },
      { result: 'leak', samples: 12, expect: 'FORBIDDEN', description: 'a chunk is lost' },
    ],
  }],
  power: 'one second shows it with 99 %',
  cost: { what: 'a remote free', locked: 1, accesses: 2, messages: 0 },
};

describe('the catalogue', () => {
  test('has a lesson for all that fails, or it is a variant of one that has', () => {
    const failing = catalogue.filter((scenario) => expectedFailures(scenario).length > 0);
    expect(failing.filter((scenario) => kindOf(scenario) === 'program').map(({ name }) => name)).toEqual([]);
    expect(failing.length).toBeGreaterThan(30);
  });

  test('has lessons of at most five lines of at most 110 characters, and a fix of two', () => {
    for (const { name, lesson } of catalogue) {
      if (!lesson) continue;
      expect(lesson.story.length, name).toBeGreaterThanOrEqual(1);
      expect(lesson.story.length, name).toBeLessThanOrEqual(5);
      for (const line of lesson.story) expect(line.length, `${name}: ${line}`).toBeLessThanOrEqual(110);
      expect(lesson.fix.length, `${name}: ${lesson.fix}`).toBeLessThanOrEqual(220);
      expect(KERNELS, name).toContain(lesson.kernel);
    }
  });

  test('has lessons of what fails only with a defect on, and of nothing that only passes', () => {
    for (const scenario of catalogue.filter(({ lesson }) => lesson)) {
      expect(expectedFailures(scenario).length, scenario.name).toBeGreaterThan(0);
    }
  });

  test('knows a variant by the longest name there is', () => {
    expect(entryOf(findScenario('R40-rcount-stays'))?.name).toBe('R40');
    expect(variantsOf(findScenario('R4'))).toEqual([]);
    expect(['R40', 'R40-rtagged', 'remote-free-2x2'].map((name) => kindOf(findScenario(name)))).toEqual(
      ['entry', 'variant', 'program'],
    );
  });

  test('lists variants under the kernel of their entry, and programs under none', () => {
    const kernel = (name: string) => catalogueList().find((one) => one.name === name)?.kernel;
    expect(['R40-rtagged', 'remote-free'].map(kernel)).toEqual(['DragonFly', null]);
  });
});

describe('show', () => {
  test('tells the story, how it fails, the schedule, and how to go on', () => {
    const text = lessonText(shown(), plain).join('\n');
    const story = '  One CPU takes *all*.\n  The other is late.\n';
    expect(text.startsWith(`R99: a list | a lost end\nDragonFly 5fee07e6\n\n${story}`)).toBe(true);
    expect(text).toContain('CPUs      cpu0 remote: kfree c0; kfree c1\n          cpu1 owner: nothing of its own\n');
    expect(text).toContain('machine   free rtagged, kern.zone_cache 0\n');
    expect(text).toContain('fails     leak: a block belongs to nobody\nwith      --defect R99 (the list is cut off)\n');
    expect(text).toContain('the smallest schedule, token a3c7b (3 switches, 1 preemption), replayed now:');
    expect(text).toMatch(/cpu0 remote +\| +cpu1 owner/);
    expect(text).toContain('LEAK: 1 of 2 chunks unreachable\nreplay: smpalloc race replay R99 a3c7b --defect R99\n');
    expect(text).toMatch(/^variants\n {2}R99-rcount {2}leak {2}policy rcount$/m);
  });

  test.each([80, 100, 160])('stays within %i columns, but for commands', (width) => {
    const long = shown({ story: ['word '.repeat(22).trim()], fix: 'word '.repeat(40).trim(), measured });
    for (const line of lessonText(long, plain, { width })) {
      if (!line.includes('smpalloc race')) expect(line.length, line).toBeLessThanOrEqual(width);
    }
  });

  test('says what is not measured yet', () => {
    const text = lessonText(shown(), plain).join('\n');
    expect(text).toContain('cost      not measured yet\nthreads   not measured yet\n');
    expect(text).not.toContain('\nmeasured');
  });

  test('shows what was measured, however little that is', () => {
    const text = lessonText(shown({ measured, seen: true }), plain).join('\n');
    expect(text).toContain('cost      a remote free: +1 locked operation, +2 accesses\n');
    expect(text).toContain('threads   real threads show it: 12 of 1,000,000 samples, 2 s\n');
    expect(text).toContain('  with the defect it is found in execution 13, with 1 preemption, after 0.250 s\n');
    expect(text).toContain('  without it all 1,880 schedules with at most 2 preemptions pass, 0.500 s\n');
    expect(text).toContain('  the token on real threads: 100 of 100 runs agreed\n  one second shows it with 99 %\n');
    expect(text).toContain('  1,000,000 samples in 2 s, threads held up in the window\n  RESULT  SAMPLES');
    expect(text).toMatch(/^ {2}leak +12 +0\.0012 % +FORBIDDEN +a chunk is lost$/m);
    expect(lessonText(shown({ measured: {} }), plain).join('\n')).toContain('cost      not measured yet');
  });

  test('says why real threads do not show it, unless they did', () => {
    const unseen = 'A worker cannot be interrupted.';
    expect(threadsText({ seen: null, unseen, measured: null })).toBe(`real threads do not show it. ${unseen}`);
    expect(threadsText({ seen: true, unseen, measured })).toMatch(/^real threads show it: 12 of/);
    expect(threadsText({ seen: false, unseen: null, measured })).toMatch(/^real threads have not shown it: 1,000,000/);
    expect(seenOnThreads(measured)).toBe(true);
    expect(seenOnThreads({ stress: [] })).toBe(null);
  });

  test('is content with half of what could be measured', () => {
    const cost = { what: 'a free', locked: 2 };
    const { entries } = readMeasured({ entries: { R99: { stress: [{ seconds: 1 }], cost, more: 1 }, R98: null } });
    const half = entries.R99!;
    expect(costText(half)).toBe('a free: +2 locked operations, +0 accesses');
    expect(lessonText(shown({ measured: half, seen: seenOnThreads(half) }), plain).join('\n')).toContain(
      'threads   real threads have not shown it: 0 samples, 1 s\n',
    );
    expect([readMeasured(null), readMeasured({})]).toEqual([{ entries: {} }, { entries: {} }]);
    expect(entries.R98).toEqual({});
  });

  test('a fix may cost less than what it mends', () => {
    const cost = { what: 'a free', locked: -1, accesses: -20, messages: -1 };
    expect(costText({ cost })).toBe('a free: -1 locked operation, -20 accesses, -1 message');
  });

  test('of a race without a token says how to find one', () => {
    const text = lessonText(shown({ failures: [failure({ token: null, counterexample: null })] }), plain).join('\n');
    expect(text).toContain('no token is known yet: smpalloc race explore R99 --defect R99');
  });

  test('of a variant and of a program tells no story', () => {
    expect(lessonText(shown({ kind: 'variant', of: 'R40' }), plain).join('\n')).toContain('A variant of R40');
    const program = lessonText(shown({ kind: 'program', failures: [] }), plain);
    expect(program.join('\n')).toContain('never: it is there to pass');
  });

  test('of a schedule too long to read shows both ends', () => {
    const steps = trace(...Array.from({ length: 150 }, (_, n) => [
      { kind: 'load', cpu: n % 2, place: `gd cpu0.w${n}`, word: n },
    ]).flat(), ...own(0, 1));
    const text = lessonText(shown({ failures: [failure({ counterexample: counterexample({ steps }) })] }), plain);
    expect(text.join('\n')).toMatch(/ \.\.\. \d+ accesses more: race replay shows them/);
    expect(text.length).toBeLessThan(180);
  });

  test('proposes no run on real threads that could show nothing', () => {
    const commands = (changes: Partial<Shown>) => nextCommands(shown(changes)).map(([command]) => command);
    expect(commands({})).toContain('smpalloc race stress R99 --defect R99');
    expect(commands({ unseen: 'so' }).join()).not.toContain('stress');
    expect(commands({ memory: 'tso' }).join()).not.toContain('--real');
    expect(commands({})).toContain('smpalloc race replay R99 a3c7b --defect R99 --break 5');
    expect(commands({}).at(-1)).toBe('smpalloc race explore R99-rcount');
  });
});

describe('the page', () => {
  test('has all of it, with what Markdown would take for its own escaped', () => {
    const page = lessonPage(shown({ measured, seen: true }));
    expect(page).toMatch(/^# R99: a list \\\| a lost end\n\n\*DragonFly 5fee07e6\*\n\nOne CPU takes \\\*all\\\*\.\n/);
    const parts = ['How it fails', 'The fix', 'On real threads', 'Variants', 'To try'];
    expect(page.match(/^## .*/gm)).toEqual(parts.map((part) => `## ${part}`));
    expect(page).toContain('It takes `--defect R99` (the list is cut off).');
    expect(page).toContain('Real threads show it: 12 of 1,000,000 samples, 2 s.');
    expect(page).toContain('| `R99-rcount` | leak | policy rcount | DragonFly df9daea8 |');
  });

  test('names files and no lines: those change with every edit', () => {
    const page = lessonPage(shown());
    expect(page).toContain('slab_link.ts\n');
    expect(page).not.toMatch(/\.ts:\d/);
  });

  test('ends with the notes, their headings one level down', () => {
    const page = lessonPage(shown(), '# Analysis\n\n```\n# code\n```\n\n## More\n');
    expect(page).toContain('\n## Analysis\n\n```\n# code\n```\n\n### More\n');
  });
});
