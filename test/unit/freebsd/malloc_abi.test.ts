/** malloc_abi.test.ts — modules compiled against the struct malloc_type of before 2005 go on working. */
import { describe, expect, test } from 'vitest';
import { P_BAD_MALLOC_TYPE, P_DEREGISTER } from '../../../src/base/panics_freebsd.js';
import * as A from '../../../src/freebsd/malloc_abi.layout.js';
import { KS_HANDLE, M_MAGIC } from '../../../src/kern/malloc_type.layout.js';
import { mallocTypes } from '../../../src/observe/malloc_types.js';
import { type Freebsd, freebsd, WAITOK } from '../../helpers/freebsd.js';
import { panicCodeOf } from '../../helpers/inside.js';

const UNUSED = 0x5eed5eed;

/** The module of before 2005, never compiled again: of its structure it knows two fields, and what they are worth. */
const oldModule = {
  define(m: Freebsd, at: number, name: string, text: number): void {
    for (const [n, char] of [...name].entries()) m.u8[text + n] = char.charCodeAt(0);
    m.u8[text + name.length] = 0;
    m.i32[(at >>> 2) + A.KSO_MAGIC] = M_MAGIC;
    m.i32[(at >>> 2) + A.KSO_SHORTDESC] = text;
  },
};

/** Room for a module's static data, all of it filled with a pattern but what a loader clears. */
function loaded(m: Freebsd): { at: number; text: number } {
  const image = m.mallocTypeCreate('module image');
  const at = m.f.malloc(A.KSO_WORDS * 4, image, WAITOK);
  m.i32.fill(UNUSED, at >>> 2, (at >>> 2) + A.KSO_WORDS);
  m.i32[(at >>> 2) + A.KSO_LO_CLASS] = 0;
  return { at, text: m.f.malloc(40, image, WAITOK) };
}

test('both layouts have the same size, and what modules use at the same place', () => {
  expect(A.KSN_WORDS).toBe(A.KSO_WORDS);
  expect([A.KSN_NEXT, A.KSN_MAGIC, A.KSN_SHORTDESC]).toEqual([A.KSO_NEXT, A.KSO_MAGIC, A.KSO_SHORTDESC]);
  expect(A.KSN_HANDLE).toBe(A.KSO_LO_CLASS);
  expect(A.KSO_WORDS * 4).toBe(68);
});

describe.each([1, 16])('an old module on a machine of %i CPUs', (cpus) => {
  test('has its type, allocates and frees on every CPU, and is in the statistics', async () => {
    const m = await freebsd({ cpus });
    const { at, text } = loaded(m);
    oldModule.define(m, at, 'isadev', text);
    const type = m.f.moduleInit(at);
    expect([m.f.moduleInit(at), m.f.moduleType(at)]).toEqual([type, type]);
    const one = () => m.f.malloc(100, m.f.moduleType(at), WAITOK);
    const blocks = Array.from({ length: 40 }, (_, n) => m.on(n % cpus, one));
    for (const [n, block] of blocks.entries()) {
      if (n < 30) m.on((n + 1) % cpus, () => m.f.free(block, m.f.moduleType(at)));
    }
    const row = mallocTypes(m.memory).find(({ name }) => name === 'isadev');
    expect(row).toMatchObject({ inuse: 10, memuse: 1280, requests: 40 });
    for (const block of blocks.slice(30)) m.f.free(block, m.f.moduleType(at));
    expect(m.f.moduleUninit(at)).toBe(0);
    expect(m.messages()).toEqual([]);
    expect(m.quiesceAndAudit().violations).toEqual([]);
  });

  test('has statistics that are as long as there are CPUs, outside of its structure', async () => {
    const m = await freebsd({ cpus });
    const { at, text } = loaded(m);
    oldModule.define(m, at, 'isadev', text);
    const stats = m.word(m.f.moduleInit(at), KS_HANDLE);
    expect(stats).not.toBe(0);
    expect(stats >= at && stats < at + 68).toBe(false);
  });

  test('keeps what else stands in its structure: nobody reads or writes it', async () => {
    const m = await freebsd({ cpus });
    const { at, text } = loaded(m);
    oldModule.define(m, at, 'isadev', text);
    m.f.moduleInit(at);
    m.f.free(m.f.malloc(100, m.f.moduleType(at), WAITOK), m.f.moduleType(at));
    m.f.moduleUninit(at);
    const used = new Set([A.KSO_MAGIC, A.KSO_SHORTDESC, A.KSO_LO_CLASS]);
    for (let word = 0; word < A.KSO_WORDS; word++) {
      if (!used.has(word)) expect(m.word(at, word)).toBe(UNUSED);
    }
    expect(m.word(at, A.KSO_LO_CLASS)).toBe(0);
  });
});

test('a module that was not registered, or is gone, has no type', async () => {
  const m = await freebsd();
  const { at, text } = loaded(m);
  oldModule.define(m, at, 'isadev', text);
  expect(panicCodeOf(() => m.f.moduleType(at))).toBe(P_BAD_MALLOC_TYPE);
  expect(panicCodeOf(() => m.f.moduleUninit(at))).toBe(P_DEREGISTER);
});
