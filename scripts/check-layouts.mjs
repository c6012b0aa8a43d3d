/**
 * check-layouts.mjs — the memory map is sound: every struct() of every *.layout.ts, the superblock, and where
 * host/geometry.ts puts the areas of machines of many sizes.
 *
 *   fields   inside their struct, no two on one word
 *   lines    each has a writing rule (the last rule repeats), structs are whole lines; what is smaller shares a line
 *            with its neighbours, so it has one rule, and is named in PACKED
 *   areas    on line boundaries, behind each other, below the first page of the page allocator
 *
 * @typedef {import('./sources.mjs').Violation} Violation
 * @typedef {import('../src/base/struct.js').StructDescription} Struct
 * @typedef {Record<string, unknown>} Exports of one layout file
 */
import { rolldown } from 'rolldown';
import { conclude, isMain, readSources, root } from './sources.mjs';

const LINE_WORDS = 16;
const RULE = /^(owner|atomic|const|lock \w+)$/;

const PAGE_BYTES = 4096;

/** what geometry() returns beside areas */
const NO_AREAS = new Set(['firstPage', 'npages', 'fifo']);
/** CPUs, MiB, entries of a ktr ring */
const MACHINES = [1, 2, 3, 8, 64, 256].flatMap((ncpu) =>
  [16, 64, 100, 1024, 2048].flatMap((megabytes) => [0, 1, 1024].map((ktr) => [ncpu, megabytes, ktr])),
);

/** structs that are no whole number of lines */
const PACKED = new Map([
  ['vm_page', 'one a page of memory; all of them under one mutex'],
  ['ktr_entry', 'a ring of its CPU alone'],
  ['uma_slab', 'a free list behind it, at the end of a page of items; all of it under one lock'],
  ['uma_bucket', 'items behind it; a bucket begins on a line of its own'],
  ['mprof', 'a row a size, all of them atomic'],
  ['malloc_type_old', 'static data of a module, whose layout is not ours to choose'],
  ['malloc_type_module', 'the same'],
]);

/**
 * Words of fields wider than one, from the constants beside them. Doubles, 64-bit integers and lo/hi pairs are 2.
 * @type {readonly [RegExp, (layout: Record<string, number>) => number][]}
 */
const WIDTHS = [
  [/^(GD_IPIQ_|SLC_|KSA_)|^(Z_CHUNKSIZE|SL_SIZE)$/, () => 2],
  [/^(UK_SIZE|UK_OALLOCS|UZ_SIZE|UZ_ALLOCS|UZ_FREES|UZ_FAILS|UZ_SLEEPS|UC_ALLOCS|UC_FREES)$/, () => 2],
  [/^KSO_CALLS$/, () => 2],
  [/^MP_(REQUESTS|ASKED|GIVEN)$/, () => 2],
  [/^GD_IPIMASK$/, (l) => l.GD_IPIMASK_WORDS],
  [/^GD_CSQ$/, (l) => l.GD_CSQ_ENTRIES * 2],
  [/^(SL_ZONEARY|SL_ZONETAIL)$/, (l) => l.NZONES],
  [/^SL_BATCH$/, (l) => l.RB_ENTRIES * l.RB_WORDS],
  [/^VM_FREE_QUEUES$/, (l) => l.VM_NFREEORDER * l.FQ_WORDS],
  [/^KS_SHORTDESC$/, (l) => l.KS_SHORTDESC_BYTES / 4],
  [/^(UK_NAME|UZ_NAME)$/, (l) => l.UMA_NAME_BYTES / 4],
  [/^UMA_BUCKET_ZONES$/, (l) => l.NBUCKET_ZONES],
  [/^UMA_BUCKET_SIZE$/, (l) => l.UMA_BUCKET_SIZES],
  [/^KMZ_ZONES$/, (l) => l.KMZ_NZONES],
  [/^KMZ_SIZE$/, (l) => l.KMZ_SIZE_BYTES / 4],
  [/^MSG_TEXT$/, (l) => l.MSG_TEXT_BYTES / 4],
  [/^SB_EXCEPTION$/, (l) => 1 + Math.ceil(l.SB_EXCEPTION_BYTES / 4)],
];

/** @param {unknown} value @returns {value is Struct} */
function isStruct(value) {
  return typeof value === 'object' && value !== null && 'lines' in value && 'fields' in value;
}

/** The writing rule of a word. @param {Struct} description @param {number} word */
export function ruleOf({ lines }, word) {
  return lines[Math.min(Math.floor(word / LINE_WORDS), lines.length - 1)];
}

/** @param {ReadonlyMap<string, Exports>} layouts @returns {{ file: string, layout: Exports, struct: Struct }[]} */
export function structsOf(layouts) {
  return [...layouts].flatMap(([file, layout]) =>
    Object.values(layout).filter(isStruct).map((struct) => ({ file, layout, struct })),
  );
}

/**
 * @param {ReadonlyMap<string, Exports>} layouts file -> what it exports
 * @returns {Violation[]}
 */
export function checkLayouts(layouts) {
  return structsOf(layouts).flatMap(({ file, layout, struct }) =>
    [...wrongLines(struct), ...wrongFields(struct, /** @type {Record<string, number>} */ (layout))].map(
      ([what, right]) => ({ file, line: 1, what: `${struct.name}: ${what}`, right }),
    ),
  );
}

/** @param {Struct} struct @returns {Generator<[what: string, right: string]>} */
function* wrongLines({ name, words, lines }) {
  const whole = words % LINE_WORDS === 0;
  const most = Math.ceil(words / LINE_WORDS);
  if (!whole && !PACKED.has(name)) yield [`${words} words are no whole lines`, 'round up to 16, or name it in PACKED'];
  if (!whole && lines.length > 1) yield ['shares lines with its neighbours', 'one rule for all of it'];
  if (lines.length === 0) yield ['no writing rule', 'say who may write each line'];
  if (lines.length > most) yield [`${lines.length} rules for ${words} words`, 'one rule a line'];
  for (const rule of lines) {
    if (!RULE.test(rule)) yield [`rule '${rule}'`, "'owner', 'atomic', 'const' or 'lock NAME'"];
  }
}

/** @param {Struct} struct @param {Record<string, number>} layout @returns {Generator<[what: string, right: string]>} */
function* wrongFields({ words, fields }, layout) {
  /** @type {Map<number, string>} */
  const holders = new Map();
  for (const [field, word] of Object.entries(fields)) {
    if (!Number.isInteger(word)) {
      yield [`${field} is ${word}`, 'a word offset'];
      continue;
    }
    const constant = layout[field];
    if (constant !== undefined && constant !== word) yield [`${field} is ${word}`, `the constant says ${constant}`];
    const width = WIDTHS.find(([names]) => names.test(field))?.[1](layout) ?? 1;
    if (!Number.isInteger(width)) yield [`width of ${field} is ${width}`, 'correct WIDTHS'];
    if (word < 0 || word + width > words) yield [`${field} ends at word ${word + width}`, `inside ${words} words`];
    for (let n = word; n < word + width; n++) {
      const other = holders.get(n);
      if (other) yield [`${field} and ${other} share word ${n}`, 'a word each'];
      holders.set(n, field);
    }
  }
}

/**
 * The areas of one machine.
 * @param {Record<string, number>} places what geometry() returned
 * @param {Record<string, number>} bytes of each area
 * @param {number} pageBytes of the superblock's page
 * @returns {[what: string, right: string][]}
 */
export function checkAreas(places, bytes, pageBytes) {
  /** @type {[what: string, right: string][]} */
  const wrong = [];
  const areas = Object.keys(bytes).map((name) => ({ name, from: places[name], to: places[name] + bytes[name] }));
  areas.sort((a, b) => a.from - b.from);
  let before = { name: 'superblock', from: 0, to: pageBytes };
  for (const area of [...areas, { name: 'first page', from: places.firstPage * pageBytes, to: Infinity }]) {
    const at = `${area.name} at ${area.from}`;
    if (!(area.from >= before.to)) wrong.push([`${at} overlaps ${before.name}`, `from ${before.to}`]);
    if (area.from % (LINE_WORDS * 4) !== 0) wrong.push([at, 'on a line boundary']);
    before = area;
  }
  return wrong;
}

/**
 * Evaluates TypeScript modules that need no machine.
 * @param {readonly string[]} files
 * @returns {Promise<Map<string, Exports>>}
 */
export async function load(files) {
  const lines = files.map((file, n) => `export * as m${n} from ${JSON.stringify(new URL(file, root).pathname)};`);
  const entry = 'virtual:entry';
  const bundle = await rolldown({
    input: entry,
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? lines.join('\n') : null),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm' });
  await bundle.close();
  const module = await import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
  return new Map(files.map((file, n) => [file, module[`m${n}`]]));
}

/** @returns {Promise<Map<string, Exports>>} every *.layout.ts of src/ */
export function loadLayouts() {
  return load([...readSources(['src'], ['.layout.ts']).keys()]);
}

/**
 * Machines small and large.
 * @param {ReadonlyMap<string, Exports>} layouts
 * @returns {Promise<Violation[]>}
 */
async function checkGeometry(layouts) {
  const file = 'src/host/geometry.ts';
  /** @type {any} */
  const { geometry } = (await load([file])).get(file);
  /** @type {any} */
  const l = Object.assign({}, ...layouts.values());
  /** @type {Violation[]} */
  const violations = [];
  for (const [ncpu, megabytes, ktr] of MACHINES) {
    const places = geometry(ncpu, megabytes * 2 ** 20, ktr);
    const bytes = {
      intr: ncpu * l.INTR_WORDS * 4,
      gd: ncpu * l.GD_WORDS * 4,
      slgd: ncpu * l.SL_WORDS * 4,
      vm: l.VM_WORDS * 4,
      zindex: l.ZINDEX_BYTES,
      uma: l.UMA_AREA_BYTES,
      msgbuf: l.MSGBUF_WORDS * 4,
      mprof: l.MPROF_WORDS * 4,
      malloc: l.KM_WORDS * 4 + l.MAXTYPES * l.mallocTypeBytes(ncpu),
      ipiq: ncpu * ncpu * l.ipiqBytes(places.fifo),
      ktr: ncpu * ktr * l.KTR_WORDS * 4,
      kmu: places.npages * 4,
      pga: places.npages * l.PG_WORDS * 4,
    };
    const forgotten = Object.keys(places).filter((name) => !(name in bytes) && !NO_AREAS.has(name));
    const wrong = checkAreas(places, bytes, PAGE_BYTES);
    for (const name of forgotten) wrong.push([`${name} is not checked`, 'give its size in check-layouts.mjs']);
    for (const [what, right] of wrong) {
      violations.push({ file, line: 1, what: `${ncpu} CPUs, ${megabytes} MiB, ktr ${ktr}: ${what}`, right });
    }
  }
  return violations;
}

if (isMain(import.meta)) {
  const layouts = await loadLayouts();
  const violations = [...checkLayouts(layouts), ...(await checkGeometry(layouts))];
  const machines = `the areas of ${MACHINES.length} machines`;
  conclude('layouts', violations, `${structsOf(layouts).length} structs and ${machines} are sound`);
}
