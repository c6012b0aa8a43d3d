import { describe, expect, test } from 'vitest';
import { checkFormat, formatWarnings } from '../../scripts/check-format.mjs';
import { checkLayers } from '../../scripts/check-layers.mjs';
import { checkAreas, checkLayouts, loadLayouts } from '../../scripts/check-layouts.mjs';
import { checkViews } from '../../scripts/check-views.mjs';
import { fieldsOf } from '../../scripts/line-rules.mjs';

/** what a check found, as `file:line what` */
const told = (found: readonly { file: string; line: number; what: string }[]): string[] =>
  found.map(({ file, line, what }) => `${file}:${line} ${what}`);

describe('layers', () => {
  const tree = {
    'src/base/param.ts': 'export const PAGE_SIZE = 4096;',
    'src/hw/bind.ts': "import { workerData } from 'node:worker_threads';\nexport const ticket = workerData;",
    'src/hw/heap.ts': "import { ticket } from './bind.js';\nexport const i32 = new Int32Array(ticket.heap);",
    'src/hw/intr.layout.ts': "import { PAGE_SIZE } from '../base/param.js';\nexport const INTR_WORDS = PAGE_SIZE;",
    'src/kern/panic.ts': "import { i32 } from '../hw/heap.js';\nexport const code = i32[0];\nexport type Code = 0;",
    'src/vm/vm_page.ts': "import { code } from '../kern/panic.js';\nexport const page = code;",
  };
  const layers = (files: Record<string, string>) =>
    told(checkLayers(new Map(Object.entries({ ...tree, ...files })), new Set(['comlink', 'piscina', 'cac'])));

  test('imports that go down are no concern of the lint', () => {
    expect(layers({})).toEqual([]);
    expect(layers({ 'src/workload/ring.ts': "import '../vm/vm_page.js';\nimport '../base/param.js';" })).toEqual([]);
  });

  test('an import that goes up is found, in whatever form', () => {
    const file = "'../vm/vm_page.js'";
    const values = [`import ${file};`, `export * from ${file};`, `const m = await import(${file});`];
    const types = [`import type { page } from ${file};`, `let p: import(${file}).Page;`];
    for (const line of [...values, ...types]) {
      expect(layers({ 'src/kern/new.ts': `\n${line}` })).toEqual(['src/kern/new.ts:2 kern imports src/vm/vm_page.ts']);
    }
  });

  test('the allocators are strangers to each other', () => {
    const found = layers({
      'src/freebsd/uma.ts': "import { z } from '../dragonfly/zone.js';",
      'src/dragonfly/zone.ts': 'export const z = 1;',
    });
    expect(found).toEqual(['src/freebsd/uma.ts:1 freebsd imports src/dragonfly/zone.ts']);
  });

  test('outside needs no machine: what reaches the heap is found, with the way it takes', () => {
    expect(layers({ 'src/host/a.ts': "import { page } from '../vm/vm_page.js';" })).toEqual([
      'src/host/a.ts:1 host imports src/vm/vm_page.ts, which needs a machine ' +
        '(vm/vm_page.ts -> kern/panic.ts -> hw/heap.ts -> hw/bind.ts)',
    ]);
    expect(layers({ 'src/observe/a.ts': "import { type Code } from '../kern/panic.js';" })).toHaveLength(1);
    expect(layers({ 'workers/job.ts': "import { code } from '../src/kern/panic.js';" })).toHaveLength(1);
  });

  test('outside may read layouts and name types, and the worker that is a CPU may do all', () => {
    expect(layers({ 'src/host/a.ts': "import { INTR_WORDS } from '../hw/intr.layout.js';" })).toEqual([]);
    expect(layers({ 'src/host/a.ts': "import type { Code } from '../kern/panic.js';" })).toEqual([]);
    expect(layers({ 'workers/vcpu.ts': "import { code } from '../src/kern/panic.js';" })).toEqual([]);
  });

  test('packages and node: modules stay in their layers', () => {
    const allowed = (file: string, module: string) => layers({ [file]: `import x from '${module}';` }).length === 0;
    for (const module of ['node:fs', 'node:os', 'node:worker_threads', 'comlink']) {
      for (const layer of ['base', 'hw', 'kern', 'workload']) expect(allowed(`src/${layer}/a.ts`, module)).toBe(false);
    }
    for (const module of ['node:worker_threads', 'piscina', 'comlink/dist/x.mjs']) {
      for (const file of ['src/host/a.ts', 'workers/a.ts', 'src/vcpu.ts']) expect(allowed(file, module)).toBe(true);
      for (const layer of ['observe', 'suite', 'cli']) expect(allowed(`src/${layer}/a.ts`, module)).toBe(false);
    }
    for (const module of ['node:fs', 'node:fs/promises']) {
      for (const layer of ['host', 'report', 'cli']) expect(allowed(`src/${layer}/a.ts`, module)).toBe(true);
      for (const layer of ['observe', 'suite']) expect(allowed(`src/${layer}/a.ts`, module)).toBe(false);
    }
    expect(allowed('src/cli/a.ts', 'cac')).toBe(true);
    expect(allowed('src/cli/a.ts', 'tinybench')).toBe(false);
    expect(allowed('bench/a.ts', 'tinybench')).toBe(true);
  });

  test('a folder without a place is found', () => {
    expect(layers({ 'src/utils/a.ts': '' })).toEqual(['src/utils/a.ts:1 utils is no layer']);
    expect(layers({ 'src/host/a.ts': "import x from '../../scripts/x.js';" })).toHaveLength(1);
  });
});

describe('views', () => {
  const fields = new Map([
    ['GD_CRIT', { struct: 'globaldata', rule: 'owner' }],
    ['GD_NPOLL', { struct: 'globaldata', rule: 'atomic' }],
  ]);
  const HEAP = "import { i32, u8, i64, f64 } from '../hw/heap.js';";
  const views = (code: string, file = 'src/kern/a.ts') => told(checkViews(new Map([[file, code]]), fields));
  const body = (code: string) => views(`${HEAP}\nexport function f(gd: number, v: number): void {\n${code}\n}`);

  test.each([
    'i32[gd] = v;', 'v = i32[gd + 1];', 'i32[gd] += v;', 'const n = ++i32[gd]; u8[n]--;', 'i64[gd >>> 1] += 1n;',
    'v = i32[i32[gd] >>> 2];', 'f(i32[gd], f64[v]);', 'const { a } = { a: i32[gd] };', 'm.i32.fill(0);',
    'const o = { i32: 1 };',
  ])('%s is an access', (code) => {
    expect(body(code)).toEqual([]);
  });

  test.each([
    ['const a = i32;', 'i32 is aliased'],
    ['f(i32, v);', 'i32 is passed away'],
    ['new DataView(i32);', 'i32 is passed away'],
    ['return i32;', 'i32 is returned or shadowed'],
    ['const g = () => i32;', 'i32 is returned or shadowed'],
    ['i32.fill(0);', 'i32 is asked for a property'],
    ['v = u8.length;', 'u8 is asked for a property'],
    ["v = i32['length'];", 'i32 is asked for a property'],
    ['v = i32?.[gd];', 'i32 is asked for a property'],
    ['const [a] = i32;', 'i32 is aliased'],
    ['const o = { i32 };', 'i32 is not indexed'],
    ['const a = [...f64];', 'f64 is not indexed'],
    ['const g = (i32: number) => i32;', 'i32 is returned or shadowed'],
    ['for (const x of i64) f(x);', 'i64 is not indexed'],
    ['[i32[gd]] = [v];', 'memory as target of a pattern'],
    ['({ v: i32[gd] } = o);', 'memory as target of a pattern'],
    ['for (i32[gd] of list) f(v);', 'memory as target of a pattern'],
    ['i32[gd] ||= v;', '||= on memory'],
  ])('%s: %s', (code, what) => {
    expect(body(code)).toContain(`src/kern/a.ts:3 ${what}`);
  });

  test('a view keeps its name, and the heap stays in hw/', () => {
    expect(views("import { i32 as words } from '../hw/heap.js';")).toHaveLength(1);
    expect(views("import * as heap from '../hw/heap.js';")).toHaveLength(1);
    expect(views("export { i32 } from '../hw/heap.js';")).toHaveLength(1);
    expect(views("import { ticket } from '../hw/bind.js';")).toHaveLength(1);
    expect(views("export { i32 } from './hw/heap.js';", 'src/engine.ts')).toEqual([]);
    expect(views('const heap = i32; i32.fill(0);', 'src/hw/a.ts')).toEqual([]);
  });

  test('Atomics is named in hw/atomics only', () => {
    const code = 'export const f = (n: number) => Atomics.load(i32, n);';
    expect(views(code, 'src/hw/intr.ts')).toEqual(['src/hw/intr.ts:1 Atomics is named']);
    expect(views(code, 'src/hw/atomics.ts')).toEqual([]);
    expect(views(code, 'src/host/switchboard.ts')).toEqual([]);
  });

  test.each([
    'let depth = 0;', 'export let depth = 0;', 'var depth;', 'const seen = new Map();', 'const seen: number[] = f();',
    'const list = [1];', 'const table = { a: 1 };', 'const a = new Array(8).fill(0);',
    'const t = (x ??= new Set()) as X;',
  ])('%s is state outside the machine', (code) => {
    expect(views(code)).toHaveLength(1);
  });

  test.each([
    'const list = [1] as const;', 'const list: readonly number[] = [1];', 'const t: Readonly<T> = { a: 1 };',
    'declare const INVARIANTS: boolean;', 'const S = struct([1], { a: 1 });', 'function f() { let x = 0; }',
  ])('%s is not', (code) => {
    expect(views(code)).toEqual([]);
  });

  test.each([
    'Date.now()', 'new Date()', 'performance.now()', 'Math.random()', 'process.hrtime()', 'setTimeout(f, 1)',
    'globalThis.x',
  ])('%s answers differently when asked again', (code) => {
    expect(views(`export const f = () => ${code};`)).toHaveLength(1);
  });

  test('a name of its own is not the global', () => {
    expect(views('export const f = (process: number) => process + m.Date;')).toEqual([]);
  });

  test('the time is asked for where a reason is on record', () => {
    const code = "import { nowMs } from '../hw/time.js';";
    expect(views(code, 'src/kern/sleep.ts')).toEqual([]);
    expect(views(code, 'src/workload/ring.ts')).toEqual([]);
    for (const file of ['src/kern/critical.ts', 'src/vm/vm_page.ts', 'src/dragonfly/chunk.ts']) {
      expect(views(code, file)).toEqual([`${file}:1 asks for the time`]);
    }
  });

  test.each([
    'v = i32[gd + GD_NPOLL];', 'i32[GD_NPOLL + gd]++;', 'v = f64[(gd + GD_NPOLL) >>> 1];',
    'v = i32[gd + GD_NPOLL + v];', 'const word = gd + GD_NPOLL; i32[word] = v;',
  ])('%s: plain access to a word of an atomic line', (code) => {
    expect(body(code)).toEqual(["src/kern/a.ts:3 globaldata.GD_NPOLL is accessed plainly, its line says 'atomic'"]);
  });

  test('and the other way round', () => {
    const imports = "import { load, racy, racy64 } from '../hw/atomics.js';\n";
    expect(views(`${imports}export const f = (gd: number) => load(gd + GD_CRIT) + racy(gd + GD_CRIT);`)).toEqual([
      "src/kern/a.ts:2 globaldata.GD_CRIT is accessed by an atomic operation, its line says 'owner'",
    ]);
    const late = 'racy64((gd + GD_CRIT) >>> 1) + BigInt(racy(gd + GD_NPOLL))';
    expect(views(`${imports}export const f = (gd: number) => ${late};`)).toEqual([]);
    expect(body('i32[gd + GD_CRIT]++; v = i32[f(GD_NPOLL)];')).toEqual([]);
  });
});

describe('layouts', () => {
  type Fields = Record<string, number>;
  const check = (words: number, lines: string[], fields: Fields, constants: Fields = {}, name = 's') => {
    const layout = { ...fields, ...constants, S: { name, words, lines, fields } };
    return checkLayouts(new Map([['x.layout.ts', layout]])).map(({ what }) => what.replace(/^\w+: /, ''));
  };

  test('a sound struct is one', () => {
    expect(check(32, ['owner', 'atomic'], { A: 0, B: 15, C: 16 })).toEqual([]);
    expect(check(64, ['const', 'lock ks_mtx'], { A: 63 })).toEqual([]);
    expect(check(4, ['owner'], { A: 3 }, {}, 'vm_page')).toEqual([]);
  });

  test('fields lie inside, on words of their own', () => {
    expect(check(16, ['owner'], { A: 16 })).toEqual(['A ends at word 17']);
    expect(check(16, ['owner'], { A: 3, B: 3 })).toEqual(['B and A share word 3']);
    expect(check(16, ['owner'], { SLC_A: 3, B: 4 })).toEqual(['B and SLC_A share word 4']);
    expect(check(16, ['owner'], { GD_CSQ: 0, B: 7 }, { GD_CSQ_ENTRIES: 4 })).toEqual(['B and GD_CSQ share word 7']);
  });

  test('every line has one rule, and structs are whole lines', () => {
    expect(check(16, [], { A: 0 })).toEqual(['no writing rule']);
    expect(check(16, ['owner', 'atomic'], { A: 0 })).toEqual(['2 rules for 16 words']);
    expect(check(16, ['anybody'], { A: 0 })).toEqual(["rule 'anybody'"]);
    expect(check(20, ['owner'], { A: 0 })).toEqual(['20 words are no whole lines']);
    expect(check(8, ['owner', 'atomic'], { A: 0 }, {}, 'vm_page')).toContain('shares lines with its neighbours');
  });

  test('areas follow each other on line boundaries', () => {
    const bytes = { gd: 128, ipiq: 64 };
    const first = (gd: number, ipiq: number, firstPage: number) =>
      checkAreas({ gd, ipiq, firstPage }, bytes, 4096)[0]?.[0];
    expect(first(4096, 4224, 2)).toBeUndefined();
    expect(first(4096, 4160, 2)).toBe('ipiq at 4160 overlaps gd');
    expect(first(4100, 4228, 2)).toBe('gd at 4100');
    expect(first(0, 4224, 2)).toBe('gd at 0 overlaps superblock');
    expect(first(4096, 4224, 1)).toBe('first page at 4096 overlaps ipiq');
  });

  test('the rules of the real layouts are read', async () => {
    const fields = fieldsOf(await loadLayouts());
    expect(fields.get('GD_NPOLL')).toEqual({ struct: 'globaldata', rule: 'atomic' });
    expect(fields.get('Z_NFREE')).toEqual({ struct: 'SLZone', rule: 'owner' });
    expect(fields.get('VM_FREE_QUEUES')!.rule).toBe('lock vm_page_queue_free_mtx');
  });
});

describe('format', () => {
  const format = (text: string) => told(checkFormat(new Map([['a.ts', text]])));

  test('what was agreed is kept', () => {
    expect(format(`${'─'.repeat(120)}\n`)).toEqual([]);
    expect(format(`${'x'.repeat(121)}\n`)).toEqual(['a.ts:1 wider than 120 columns']);
    expect(format(`  '${'x'.repeat(121)}',\n`)).toEqual([]);
    expect(format(`f('${'x'.repeat(121)}');\n`)).toHaveLength(1);
    expect(format('a;\n\tb;\n')).toEqual(['a.ts:2 a tab']);
    expect(format('a;\r\n')).toContain('a.ts:1 a carriage return');
    expect(format('a; \n')).toEqual(['a.ts:1 blanks at the end']);
    expect(format('a;')).toEqual(['a.ts:1 no newline at the end']);
    expect(format('a;\n\n')).toEqual(['a.ts:2 empty lines at the end']);
    expect(format('import { a } from "./a.js";\n')).toEqual(['a.ts:1 double quotes']);
    expect(format('import {\n  a,\n} from "./a.js";\nimport "b";\n')).toHaveLength(2);
  });

  test('long files and wide lines are mentioned', () => {
    const warnings = formatWarnings(new Map([['a.ts', `${'x'.repeat(115)}\n${'x\n'.repeat(400)}`]]));
    expect(warnings).toEqual([
      'a.ts: warning: 401 lines; is it one subject?', 'format: 1 lines wider than 110 columns',
    ]);
  });
});
