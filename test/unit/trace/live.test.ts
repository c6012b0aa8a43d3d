import { expect, test } from 'vitest';
import { LiveTable } from '../../../src/host/trace/live.js';
import { TypeTable } from '../../../src/host/trace/types.js';

test('the live table agrees with a Map over a long run of births and deaths', () => {
  const table = new LiveTable();
  const model = new Map<string, number>();
  let x = 12345;
  for (let step = 1; step <= 200_000; step++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    const hi = (x >>> 8) & 3;
    const lo = (x >>> 12) % (step < 100_000 ? 20_000 : 500);
    const key = `${hi}:${lo}`;
    let same = table.find(hi, lo) === (model.get(key) ?? 0);
    if (x & 1) {
      same &&= table.remove(hi, lo) === (model.get(key) ?? 0);
      model.delete(key);
    } else if (!model.has(key)) {
      same &&= table.add(hi, lo, step);
      model.set(key, step);
    }
    if (!same) expect.fail(`step ${step}, key ${key}`); // an expect a step would take most of the time
  }
  expect(table.size).toBe(model.size);
});

test('names of types are numbered in order, once each, and cut at 128 characters', () => {
  const types = new TypeTable();
  const long = 'x'.repeat(1000);
  expect([types.intern('a'), types.intern(long), types.intern('a'), types.intern(`${long}y`)]).toEqual([
    0, 1, 0, 1,
  ]);
  expect(types.names).toEqual(['a', 'x'.repeat(128)]);
});

test('beyond 65535 names the rest share one', () => {
  const types = new TypeTable();
  for (let i = 0; i < 70_000; i++) types.intern(`site${i}`);
  expect(types.names).toHaveLength(65_536);
  expect(types.intern('yet another')).toBe(65_535);
  expect(types.names[65_535]).toBe('other');
});
