/** The litmus tests: what they declare is what the models say, by brute force; and how outcomes are graded. */
import { describe, expect, test } from 'vitest';
import { atomic, isNoTear, plain } from '../../src/lab/litmus/access.js';
import { partsOf, registersOf, resultText } from '../../src/lab/litmus/actor.js';
import { isForbidden, litmusResult, programText } from '../../src/lab/litmus/outcome.js';
import { LITMUS } from '../../src/lab/litmus/tests.js';
import { javascript, sequentiallyConsistent } from '../helpers/memory_models.js';

const names = LITMUS.map(({ name }) => name);
const named = (name: string) => LITMUS.find((one) => one.name === name)!;

describe.each(names)('%s', (name) => {
  const { sc, witness, javascript: verdict } = named(name);

  test('declares the outcomes of all interleavings', () => {
    expect([...sequentiallyConsistent(named(name))].sort()).toEqual([...sc].sort());
  });

  test('declares of the others those that the JavaScript model allows', () => {
    const allowed = new Set([...sc, ...(verdict === 'allowed' ? [witness] : [])]);
    expect([...javascript(named(name))].sort()).toEqual([...allowed].sort());
  });
});

test('names are unique', () => {
  expect(new Set(names).size).toBe(names.length);
});

test('integers of up to 32 bits do not tear, BigInts not through Atomics, floats and DataViews may', () => {
  expect(isNoTear(plain.load('x'))).toBe(true);
  expect(isNoTear(plain.load('w', 'i64'))).toBe(false);
  expect(isNoTear(atomic.load('w', 'i64'))).toBe(true);
  expect(isNoTear(plain.load('w', 'f64'))).toBe(false);
  expect(isNoTear(plain.load('w', 'viewI32'))).toBe(false);
});

test('a program is printed as it would be written', () => {
  expect(programText(named('MP:atomic-flag'))).toEqual(['x = 1; Atomics.store(y, 1)', 'r0 = Atomics.load(y); r1 = x']);
  expect(programText(named('INC:plain'))).toEqual(['x++', 'x++', 'then r0 = x']);
});

test("an actor's part has its accesses, and nothing else touches memory between them", () => {
  const { part, reset } = partsOf(named('MP:atomic-flag'), 1);
  expect(part.split('\n').map((line) => line.trim()).slice(0, 2)).toEqual([
    'const r0 = Atomics.load(i32, at + 32);', 'const r1 = i32[at + 0];',
  ]);
  expect(reset.replace(/\s+/g, ' ')).toBe('i32[at + 0] = 0; Atomics.store(i32, at + 32, 0);');
});

test('results are printed register by register, and what nobody stored is said to be other', () => {
  const sb = named('SB:plain');
  expect(registersOf(sb)).toBe(2);
  expect(resultText(sb, 0b0100)).toBe('0, 1');
  expect(resultText(sb, 0b0011)).toBe('other, 0');
  expect(resultText(named('TEAR:edge-i64'), 2)).toBe('torn');
});

describe('grades', () => {
  const graded = (name: string, counts: Record<number, number>, asleep = 0) => {
    const samples = Object.values(counts).reduce((sum, count) => sum + count, 0);
    return litmusResult(named(name), { counts, samples, asleep, seconds: 1 }, 2);
  };
  const expectOf = ({ outcomes }: ReturnType<typeof graded>, result: string) => (
    outcomes.find((one) => one.result === result)?.expect
  );

  test('what sequential consistency forbids and the model allows is interesting', () => {
    const result = graded('SB:plain', { 0: 10, 1: 5, 4: 5 });
    expect(expectOf(result, '0, 0')).toBe('INTERESTING');
    expect(expectOf(result, '1, 1')).toBe('ACCEPTABLE');
    expect(result).toMatchObject({ seen: 10, samples: 20, sc: 'forbidden', javascript: 'allowed' });
    expect(isForbidden(result)).toBe(false);
  });

  test('what the model forbids fails, once it is seen', () => {
    expect(isForbidden(graded('SB:atomic', { 1: 5, 4: 5 }))).toBe(false);
    const result = graded('SB:atomic', { 0: 1, 1: 5, 4: 5 });
    expect(expectOf(result, '0, 0')).toBe('FORBIDDEN');
    expect(isForbidden(result)).toBe(true);
  });

  test('a value that no thread has stored fails', () => {
    expect(isForbidden(graded('SB:plain', { 3: 1 }))).toBe(true);
  });

  test('nothing is claimed of samples without a race, nor of more threads than cores', () => {
    expect(graded('MP:plain', { 0: 60_000 }).rarer).toBe(3 / 60_000);
    expect(graded('MP:plain', { 0: 60_000 }, 30_000).rarer).toBe(3 / 30_000);
    expect(graded('MP:plain', { 0: 60_000 }, 60_000).rarer).toBe(null);
    expect(graded('IRIW:plain', { 0: 60_000 }).rarer).toBe(null);
  });

  test('nor of a host whose cores are busy with something else', () => {
    expect(graded('MP:plain', { 0: 5000 }).rarer).toBe(null);
  });
});
