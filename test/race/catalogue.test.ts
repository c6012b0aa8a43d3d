/**
 * The catalogue keeps its word: each scenario passes as it stands, and fails in the way it says with each defect,
 * within two preemptions. Here passing trees are explored with one; two take a minute.
 */
import { describe, expect, it, test } from 'vitest';
import { DEFECT_NAMES } from '../../src/base/defects.js';
import { catalogue, findScenario } from '../../src/lab/catalogue/index.js';
import { MachinePool } from '../../src/lab/machine_pool.js';
import type { Scenario } from '../../src/lab/scenario.js';
import { BoundedSearch } from '../../src/lab/search/bounded.js';
import type { Found } from '../../src/lab/search/search.js';
import type { Subject, SubjectOptions } from '../../src/lab/subject.js';

const MOST_PREEMPTIONS = 2;

/** All schedules with `bound` preemptions, again from the start whenever an execution has shown a new shared word. */
function search(subject: Subject, bound: number): Found | null {
  const { learned } = subject.engine.shadow;
  for (;;) {
    const known = learned.count;
    const tree = new BoundedSearch(subject, bound);
    while (tree.next() && tree.found === null && learned.count === known);
    if (tree.found !== null) return tree.found;
    if (learned.count === known && tree.complete) return null;
  }
}

/** an engine that has been used is warm; what it has learned of shared words only adds scheduling points */
const pool = new MachinePool();

/** @returns class of the first failure, 'pass' when there is none */
async function verdict(of: Scenario, most: number, options: SubjectOptions = {}): Promise<string> {
  const subject = await pool.prepare(of, options);
  for (let bound = 0; bound <= most; bound++) {
    const found = search(subject, bound);
    if (found) return found.failure.cls;
  }
  return 'pass';
}

const expected = ({ expect: known }: Scenario) => known?.verdict ?? 'pass';
const cases = (passing: boolean) =>
  catalogue.filter((s) => (expected(s) === 'pass') === passing).map((s): [string, Scenario] => [s.name, s]);

describe('as it stands', () => {
  test.each(cases(true))('%s passes', async (_name, of) => {
    expect(await verdict(of, 1)).toBe('pass');
  });

  test.each(cases(false))('%s fails, as committed', async (_name, of) => {
    expect(await verdict(of, MOST_PREEMPTIONS)).toBe(expected(of));
  });
});

describe('with its defect', () => {
  const defective = catalogue.flatMap((s) =>
    Object.entries(s.expect?.with ?? {}).map(([defect, cls]) => [s.name, defect, cls, s] as const),
  );

  test.each(defective)('%s, %s: %s', async (_name, defect, cls, of) => {
    expect(await verdict(of, MOST_PREEMPTIONS, { defects: [defect] })).toBe(cls);
  });

  it('R48 passes where stores do not wait', async () => {
    const r48 = findScenario('R48');
    expect(await verdict(r48, MOST_PREEMPTIONS, { defects: ['R48'], memory: 'sc' })).toBe('pass');
  });
});

describe('the list', () => {
  it('has a scenario for every race that has a defect', () => {
    for (const name of DEFECT_NAMES) expect(findScenario(name).expect?.with, name).toHaveProperty(name);
  });

  it('has each name once, a title and an origin', () => {
    expect(new Set(catalogue.map(({ name }) => name)).size).toBe(catalogue.length);
    for (const { name, title, origin } of catalogue) expect(`${title} ${origin}`, name).toMatch(/^\S.+ \S/);
  });

  it('says what each defect does that may be switched on', () => {
    for (const { name, defects = [], expect: known } of catalogue) {
      expect(Object.keys(known?.with ?? {}), name).toEqual(defects);
    }
  });

  it('does not know other names', () => {
    expect(() => findScenario('R99')).toThrow("no scenario 'R99'");
  });
});
