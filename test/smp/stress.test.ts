/** Scenarios on real workers: what comes out is counted, the memory is put back, and nothing hangs. */
import { describe, expect, test } from 'vitest';
import { findScenario } from '../../src/lab/catalogue/index.js';
import { loadScenarios, type Reference } from '../../src/lab/farm/reference.js';
import { type Cell, runCell } from '../../src/lab/stress/cell.js';
import { forbiddenIn, type StressRecord } from '../../src/lab/stress/record.js';
import { windowsOf } from '../../src/lab/stress/window.js';

const TIME = 400;

function file(name: string): Reference {
  const url = new URL('../fixtures/race/stressed.mjs', import.meta.url);
  return { kind: 'file', url: url.href, path: url.pathname, name };
}

async function stressed(reference: Reference, cell: Partial<Cell> = {}, signal?: AbortSignal): Promise<StressRecord> {
  const [scenario] = await loadScenarios(reference);
  return runCell({
    scenario: scenario!, reference, settings: {}, time: TIME, seed: 1, widened: false, known: null, ...cell,
  }, () => {}, signal);
}

const own = (name: string, cell: Partial<Cell> = {}, signal?: AbortSignal) => stressed(file(name), cell, signal);
const known = (name: string, cell: Partial<Cell> = {}) => stressed({ kind: 'catalogue', name }, cell);
const countOf = ({ rows }: StressRecord, result: string) => rows.find((row) => row.result === result)?.samples ?? 0;

describe('a stress run', () => {
  test('counts every sample once, and grades what came out', async () => {
    const record = await own('seen');
    expect(record.samples).toBeGreaterThan(0);
    expect(record.rows.reduce((sum, { samples }) => sum + samples, 0)).toBe(record.samples);
    expect(countOf(record, 'cpu0 first') + countOf(record, 'cpu1 first')).toBe(record.samples);
    const grades: Record<string, string> = { 'cpu0 first': 'ACCEPTABLE', 'cpu1 first': 'INTERESTING' };
    for (const row of record.rows) expect(row.expect).toBe(grades[row.result]);
  });

  test('tells results apart that differ in their upper bits only', async () => {
    const record = await own('upper');
    expect(countOf(record, 'cpu0 first')).toBeGreaterThan(0);
    expect(countOf(record, 'cpu1 first')).toBeGreaterThan(0);
  });

  test('begins each sample with the memory as it was, whatever the one before wrote', async () => {
    const record = await own('much', { time: 200 });
    expect(record.rows).toMatchObject([{ result: 'ok', samples: record.samples }]);
  });

  test.each(['remote-free', 'statistics', 'R40', 'R50', 'mutex', 'uma-cross-free', 'krealloc', 'malloc-wait'])(
    'of %s as it stands has nothing forbidden', async (name) => {
      const record = await known(name);
      expect(record.samples).toBeGreaterThan(0);
      expect(record.rows.filter(({ expect: grade }) => grade === 'FORBIDDEN')).toEqual([]);
    },
  );

  test.each([['R44', 'double-free'], ['R52', 'panic'], ['R45', 'deadlock']])(
    'of %s with its defect shows it: %s', async (name, cls) => {
      const record = await known(name, { settings: { defects: [name] } });
      expect(forbiddenIn(record)).toBeGreaterThan(0);
      expect(record.rows[0]).toMatchObject({ expect: 'FORBIDDEN', result: cls });
    },
  );

  test('holds threads up where the explorer has seen them switched, and then shows what is rare', async () => {
    const scenario = findScenario('R41');
    const reference: Reference = { kind: 'catalogue', name: 'R41' };
    const settings = { defects: ['R41'] };
    const task = { reference, settings, cls: 'double-alloc' as const, seekMs: 20_000, countMs: 2000 };
    const window = await windowsOf(task, new Int32Array(8));
    const windows = [{ cpu: 0, thread: 0, operation: 0 }];
    expect(window).toMatchObject({ cls: 'double-alloc', preemptions: 1, windows });
    expect(window!.failing).toBeGreaterThan(0);
    expect(window!.failing).toBeLessThan(window!.schedules);
    const record = await stressed(reference, {
      scenario, settings, time: 3000, widened: true, known: { ...window!, defect: 'R41' },
    });
    expect(countOf(record, 'double-alloc')).toBeGreaterThan(0);
  });
});

describe('what does not end', () => {
  test.each(['waits', 'sleeps'])('a CPU that %s for ever is a deadlock', async (name) => {
    const record = await own(name, { time: 200 });
    // who is to sleep looks once, and may see the change in time
    expect(countOf(record, 'deadlock')).toBeGreaterThan(0);
    expect(countOf(record, 'deadlock') + countOf(record, 'ok')).toBe(record.samples);
  });

  test('a CPU that waits for what comes is not', async () => {
    const record = await own('comes');
    expect(record.rows).toMatchObject([{ result: 'ok', samples: record.samples }]);
  });

  test('a loop that never says that it waits is a livelock', async () => {
    const record = await own('endless', { time: 100 });
    expect(record.rows).toMatchObject([{ result: 'livelock', samples: record.samples, expect: 'FORBIDDEN' }]);
  });

  test('an exception is a failure of its sample, with its text', async () => {
    const record = await own('throws', { time: 100 });
    const description = 'TypeError: not here';
    expect(record.rows).toMatchObject([{ result: 'exception', expect: 'FORBIDDEN', description }]);
  });

  test('a worker that dies ends the run', async () => {
    await expect(own('dies')).rejects.toMatchObject({ code: 'ESMP_HALTED' });
  });

  test('a run that is interrupted has what there was', async () => {
    const halt = new AbortController();
    const [scenario] = await loadScenarios(file('seen'));
    const cell: Cell = {
      scenario: scenario!, reference: file('seen'), settings: {}, time: 60_000, seed: 1, widened: false, known: null,
    };
    const record = await runCell(cell, ({ samples }) => {
      if (samples > 0) halt.abort(new Error('enough'));
    }, halt.signal);
    expect(record.samples).toBeGreaterThan(0);
    expect(record.seconds).toBeLessThan(60);
  });
});
