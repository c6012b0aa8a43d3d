/**
 * allocator.mjs — build step: one allocator a bundle.
 *
 * A machine runs one allocator for life, and what is not in a bundle does not take part in V8's budgets: with both
 * inside, more than 255 names are shared by the functions of a bundle, each access to one takes a wider bytecode, and
 * the hot loops no longer fit what V8 inlines (docs/design/building.md). So a module of the other allocator becomes one
 * whose exports are undefined. `FREEBSD` (kern/alloc.ts) is a constant then, and nobody calls them.
 */
import { readFileSync } from 'node:fs';
import { parseSync } from 'oxc-parser';

const MODULE = /\/(dragonfly|freebsd)\/[^/]+\.js$|\/audit_(slab|uma)\.js$/;
const OWNER = { slab: 'dragonfly', uma: 'freebsd' };
const ABSENT = '\0absent:';

/** @param {'dragonfly' | 'freebsd'} name the allocator that stays */
export function allocator(name) {
  return {
    name: 'allocator',
    resolveId(/** @type {string} */ source, /** @type {string | undefined} */ importer) {
      if (!importer || !/\/src\/(engine|modelled|workload\/)/.test(importer)) return null;
      const match = MODULE.exec(source);
      if (!match || (match[1] ?? OWNER[/** @type {'slab' | 'uma'} */ (match[2])]) === name) return null;
      return ABSENT + new URL(source.replace(/\.js$/, '.ts'), `file://${importer}`).pathname;
    },
    load(/** @type {string} */ id) {
      if (!id.startsWith(ABSENT)) return null;
      const names = exportedNames(id.slice(ABSENT.length));
      return names.map((one) => `export const ${one} = undefined;`).join('\n') || 'export {};';
    },
  };
}

/** @param {string} file @returns {string[]} but for `export *` */
function exportedNames(file) {
  const { module } = parseSync(file, readFileSync(file, 'utf8'));
  return module.staticExports
    .flatMap(({ entries }) => entries)
    .filter((entry) => !entry.isType && entry.exportName.name !== null)
    .map((entry) => /** @type {string} */ (entry.exportName.name));
}
