/** moves_found.test.ts — what only a thread that moves shows, how it is told, and that real workers cannot show it. */
import { describe, expect, test } from 'vitest';
import { describe as describeFailure } from '../../src/lab/counterexample/counterexample.js';
import { prepareForToken, replayToken } from '../../src/lab/counterexample/replay.js';
import { findScenario } from '../../src/lab/catalogue/index.js';
import { replayReal } from '../../src/lab/farm/real.js';
import { scenario } from '../../src/lab/scenario.js';
import { makeSearch } from '../../src/lab/search/index.js';
import { prepareSubject, type Verdict } from '../../src/lab/subject.js';
import { traceRows } from '../../src/report/race_rows.js';
import { findWhole } from './find.js';

test('a trace keeps a thread in its column, and says where it moves to', async () => {
  const { subject, schedule } = await findWhole(findScenario('R2-early'), { defects: ['early'] });
  const failing = describeFailure(subject, schedule)!;
  const rows = traceRows(failing, true);
  const move = rows.findIndex(({ text }) => text === 'moves to cpu1');
  expect(failing.columns).toEqual(['cpu0 thread', 'cpu1 idle', 'cpu0 thread (2nd thread)']);
  expect(new Set(rows.map(({ column }) => column))).toEqual(new Set([0, 2]));
  expect(rows[move]).toMatchObject({ column: 0, kind: 'step', line: '' });
  expect(failing.steps.slice(move).filter(({ entity }) => entity === 0).at(-1)!.cpu).toBe(1);
});

describe('on real workers', () => {
  const reference = { kind: 'catalogue', name: 'R2-moves' } as const;
  const options = { defects: ['R2'] };

  test('a schedule in which a thread moves is refused', async () => {
    const subject = await prepareForToken(findScenario('R2-moves'), 'I', options);
    const { schedule } = replayToken(subject, 'I');
    await expect(replayReal(subject, schedule, reference, 1)).rejects.toMatchObject({
      code: 'ESMP_OPTION',
      message: '--real: a thread moves to another CPU here, and a worker is one CPU for its life',
    });
  });

  test('one in which none does is replayed', async () => {
    const subject = await prepareForToken(findScenario('R2-moves'), '-', options);
    const { schedule } = replayToken(subject, '-');
    expect(await replayReal(subject, schedule, reference, 2)).toEqual({ runs: 2, agreed: 2, differences: [] });
  });
});

describe('what it shows:', () => {
  test.each([
    ['R2-moves', 'R2', 'rule-violation'], ['R2-early', 'early', 'stats-drift'], ['R14-moves', 'R14', 'audit'],
  ])('%s fails by a move, and not without one', async (name, defect, cls) => {
    const { found, subject } = await findWhole(findScenario(name), { defects: [defect] });
    expect(found.failure.cls).toBe(cls);
    expect(found.schedule).toContain(subject.engine.entity.layout.move0);
    const { name: _, moves: __, ...rest } = findScenario(name);
    const still = await prepareSubject(scenario('still', { ...rest, points: 'all' }), { defects: [defect] });
    const search = makeSearch('bound', still, { bound: 2 });
    while (search.next());
    expect([search.complete, search.failures]).toEqual([true, 0]);
  }, 60_000);

  test('R14-moves, with a thread that goes on: an item is in two buckets', async () => {
    const { name: _, ...rest } = findScenario('R14-moves');
    const on = scenario('R14-goes-on', {
      ...rest,
      cpu: {
        ...rest.cpu,
        freer: (k, [block]: number[]) => [
          k.op('free', (c) => c.kfree(block!)),
          k.op('malloc', (c) => c.kmalloc(1024)),
          k.op('free', (c) => c.kfree(c.results[1] as number)),
        ],
      },
    });
    const classes = new Set<string>();
    const subject = await prepareSubject(on, { defects: ['R14'] });
    const onEnd = ({ failure }: Verdict) => classes.add(failure?.cls ?? '');
    const search = makeSearch('bound', subject, { bound: 2, onEnd });
    while (search.next() && !classes.has('list-corrupt'));
    expect(classes).toContain('list-corrupt');
  }, 60_000);
});
