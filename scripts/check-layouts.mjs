/**
 * check-layouts.mjs — the memory map is sound: every struct() of every *.layout.ts, the superblock, and where
 * host/geometry.ts puts the areas of machines of many sizes.
 *
 *   fields   inside their struct, no two on one word
 *   lines    each has a writing rule (the last rule repeats), structs are whole lines; what is smaller shares a line with
 *            its neighbours, so it has one rule, and is named in PACKED
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

/** structs that are no whole number of lines */
const PACKED = new Map([
  ['vm_page', 'one a page of memory; all of them under one mutex'],
  ['ktr_entry', 'a ring of its CPU alone'],
]);

/**
 * Words of fields wider than one, from the constants beside them. Doubles, 64-bit integers and lo/hi pairs are 2.
 * @type {readonly [RegExp, (layout: Record<string, number>) => number][]}
 */
const WIDTHS = [
  [/^(GD_IPIQ_|SLC_|KSA_)|^(Z_CHUNKSIZE|SL_SIZE)$/, () => 2],
  [/^GD_IPIMASK$/, (l) => l.GD_IPIMASK_WORDS],
  [/^GD_CSQ$/, (l) => l.GD_CSQ_ENTRIES * 2],
  [/^(SL_ZONEARY|SL_ZONETAIL)$/, (l) => l.NZONES],
  [/^SL_BATCH$/, (l) => l.RB_ENTRIES * l.RB_WORDS],
  [/^VM_FREE_QUEUES$/, (l) => l.VM_NFREEORDER * l.FQ_WORDS],
  [/^KS_SHORTDESC$/, (l) => l.KS_SHORTDESC_BYTES / 4],
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
  if (!whole && !PACKED.has(name)) yield [`${words} words are no whole lines`, 'round up to 16, or name it in PACKED'];
  if (!whole && lines.length > 1) yield ['shares lines with its neighbours', 'one rule for all of it'];
  if (lines.length === 0) yield ['no writing rule', 'say who may write each line'];
  if (lines.length > Math.ceil(words / LINE_WORDS)) yield [`${lines.length} rules for ${words} words`, 'one rule a line'];
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
    if (layout[field] !== undefined && layout[field] !== word) yield [`${field} is ${word}`, `the constant says ${layout[field]}`];
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
    if (!(area.from >= before.to)) wrong.push([`${area.name} at ${area.from} overlaps ${before.name}`, `from ${before.to}`]);
    if (area.from % (LINE_WORDS * 4) !== 0) wrong.push([`${area.name} at ${area.from}`, 'on a line boundary']);
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
    plugins: [{ name: 'entry', resolveId: (id) => (id === entry ? id : null), load: (id) => (id === entry ? lines.join('\n') : null) }],
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

/** Machines small and large. @returns {Promise<Violation[]>} */
async function checkGeometry() {
  const file = 'src/host/geometry.ts';
  const constants = ['slaballoc', 'superblock', 'intr', 'globaldata', 'ktr', 'lwkt_ipiq', 'malloc_type', 'vm_page'];
  const layouts = await loadLayouts();
  /** @type {any} */
  const l = Object.assign({}, ...[...layouts].filter(([path]) => constants.some((name) => path.includes(`/${name}.layout`))).map(([, x]) => x));
  /** @type {any} */
  const { geometry } = (await load([file])).get(file);
  /** @type {Violation[]} */
  const violations = [];
  for (const ncpu of [1, 2, 3, 8, 64, 256]) {
    for (const megabytes of [16, 64, 100, 1024, 2048]) {
      for (const ktr of [0, 1, 1024]) {
        const places = geometry(ncpu, megabytes * 2 ** 20, ktr);
        const words = {
          intr: ncpu * l.INTR_WORDS, gd: ncpu * l.GD_WORDS, slgd: ncpu * l.SL_WORDS, vm: l.VM_WORDS,
          zindex: l.ZINDEX_BYTES / 4, malloc: l.KM_WORDS + (l.MAXTYPES * l.mallocTypeBytes(ncpu)) / 4,
          ipiq: (ncpu * ncpu * l.ipiqBytes(places.fifo)) / 4, ktr: ncpu * ktr * l.KTR_WORDS, kmu: places.npages,
          pga: places.npages * l.PG_WORDS,
        };
        const bytes = Object.fromEntries(Object.entries(words).map(([name, count]) => [name, count * 4]));
        for (const [what, right] of checkAreas(places, bytes, 4096)) {
          violations.push({ file, line: 1, what: `${ncpu} CPUs, ${megabytes} MiB, ktr ${ktr}: ${what}`, right });
        }
      }
    }
  }
  return violations;
}

if (isMain(import.meta)) {
  const layouts = await loadLayouts();
  const violations = [...checkLayouts(layouts), ...(await checkGeometry())];
  conclude('layouts', violations, `${structsOf(layouts).length} structs and the areas of 90 machines are sound`);
}
