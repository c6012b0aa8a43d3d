/**
 * sources.mjs — what the lint scripts share: reading the tree, parsing a file, printing what is wrong.
 *
 * A check is a function from sources (path -> text) to violations; only `main` of each script touches the disk, so that
 * test/unit/lint.test.ts can show every check a small wrong program.
 *
 * @typedef {ReadonlyMap<string, string>} Sources path from the project's root, with slashes -> text
 * @typedef {{ file: string, line: number, what: string, right: string }} Violation what is wrong; what would be right
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';
import { walk } from 'oxc-walker';

export const root = new URL('..', import.meta.url);

/**
 * @param {readonly string[]} folders from the root; '' is the root itself, not what lies below it
 * @param {readonly string[]} extensions such as '.ts'
 * @returns {Map<string, string>}
 */
export function readSources(folders, extensions) {
  const sources = new Map();
  const visit = (/** @type {string} */ folder) => {
    for (const entry of readdirSync(new URL(folder, root), { withFileTypes: true })) {
      const path = folder + entry.name;
      if (entry.isDirectory() && folder !== '' && entry.name !== 'node_modules') visit(`${path}/`);
      else if (entry.isFile() && extensions.some((extension) => path.endsWith(extension))) {
        sources.set(path, readFileSync(new URL(path, root), 'utf8'));
      }
    }
  };
  for (const folder of folders) visit(folder === '' ? '' : `${folder}/`);
  return new Map([...sources].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * @param {string} path
 * @param {string} text
 */
export function parse(path, text) {
  const { program, module, errors } = parseSync(path, text);
  if (errors.length > 0) throw new SyntaxError(`${path}: ${errors[0]?.message}`);
  return { program, module, lineAt: lineCounter(text) };
}

/**
 * @param {string} text
 * @returns {(offset: number) => number} line of an offset, from 1
 */
function lineCounter(text) {
  return (offset) => {
    let line = 1;
    for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
    return line;
  };
}

/**
 * Each node's parent.
 * @param {any} program
 * @returns {Map<any, any>}
 */
export function parentsOf(program) {
  const parents = new Map();
  walk(program, {
    enter(node, parent) {
      parents.set(node, parent);
      // only reachable as the property of a destructuring pattern, not of an object literal
      if (node.type === 'Property' && parent?.type === 'ObjectPattern') /** @type {any} */ (node).inPattern = true;
    },
  });
  return parents;
}

/**
 * The file an import names: './x.js' written in a/b.ts is a/x.ts. Packages and node: modules are named by themselves.
 * @param {string} from
 * @param {string} specifier
 */
export function resolve(from, specifier) {
  if (!specifier.startsWith('.')) return specifier;
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/').replace(/\.js$/, '.ts');
}

/** @param {ImportMeta} meta whether node was asked to run this very file */
export function isMain(meta) {
  return process.argv[1] === fileURLToPath(meta.url);
}

/**
 * Prints violations in the form editors know and sets the exit code.
 * @param {string} title
 * @param {readonly Violation[]} violations
 * @param {string} passed what to say when there are none
 */
export function conclude(title, violations, passed) {
  for (const { file, line, what, right } of violations) console.log(`${file}:${line}: ${what}; ${right}`);
  if (violations.length > 0) process.exitCode = 1;
  console.log(`${title}: ${violations.length === 0 ? passed : `${violations.length} violations`}`);
}
