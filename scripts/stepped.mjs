/**
 * stepped.mjs — build step: one source, stepped (docs/design/stepping.md).
 *
 * In kern/, vm/, the allocators and workload/ each access to a heap view becomes a call that asks the scheduler first:
 *
 *   i32[e]          ld32(e)                      the same for u8 (8), i64 (64), f64 (f)
 *   i32[e] = v      st32(e, v)
 *   i32[e] += v     st32(e, ld32(e) + (v))       any operator; e is evaluated twice, so it has to be pure
 *   i32[e]++        post32(e, 1)                 ++i32[e]: pre32(e, 1)
 *
 * and the files of hw/ that meet the host's memory are replaced by those of hw/stepped/. Nothing else changes: what is
 * explored is the shipped source. Access sites keep their place in the source map: a trace shows the TypeScript line.
 *
 * Further forms put their own files in the place of some of stepped/'s: `baton` for replays on real workers, where
 * each access waits for its turn and is really made, `stress` for workers that just run, where it is made at once,
 * `model` for CPUs in virtual time, where it is charged for. pre and post (stepped/update.ts) are the same over all.
 */
import MagicString from 'magic-string';
import { parseSync } from 'oxc-parser';
import { walk } from 'oxc-walker';

const ENGINE = /\/src\/(kern|vm|dragonfly|freebsd|netbsd|workload)\/[^?]*\.ts$/;
const WORKLOAD = /\/src\/workload\//;
const SWAPPED = /\/(atomics|cpufunc|curcpu|intr|kasan|mem|sdt|time)\.js$/;
const VIEWS = { i32: '32', u8: '8', i64: '64', f64: 'f' };
const ACCESS = imported(['ld', 'st']);
const UPDATE = imported(['pre', 'post']);

/** @param {readonly string[]} verbs */
function imported(verbs) {
  const names = verbs.flatMap((verb) => Object.values(VIEWS).map((width) => verb + width));
  return names.map((name) => `${name} as __${name}`).join(', ');
}

/** @typedef {any} Node */

/** what the other forms replace */
const OWN = {
  stepped: [],
  baton: ['access', 'run'],
  stress: ['access', 'run', 'marked'],
  model: ['access', 'cpufunc', 'intr', 'mem', 'run', 'sdt'],
};
/** files of hw/ that stay as they are where the form has none of its own */
const KEPT = ['intr', 'sdt'];

/**
 * @param {URL} root the project's root
 * @param {keyof typeof OWN} form
 */
export function stepped(root, form = 'stepped') {
  const hw = new URL('src/hw/stepped/', root).pathname;
  const own = new URL(`src/hw/${form}/`, root).pathname;
  const access = `${own}access.ts`;
  const replaced = OWN[form].join('|');
  return {
    name: 'stepped',
    resolveId(/** @type {string} */ source, /** @type {string | undefined} */ importer) {
      if (!importer || !/\/src\//.test(importer) || importer.startsWith(own)) return null;
      const inside = importer.startsWith(hw);
      const replacing = new RegExp(`${inside ? '^\\./' : '/stepped/'}(${replaced})\\.js$`).exec(source)?.[1];
      if (replacing) return `${own}${replacing}.ts`;
      const file = SWAPPED.exec(source)?.[1];
      if (!file || inside) return null;
      if (form === 'model' && file === 'atomics' && WORKLOAD.test(importer)) return `${own}client_atomics.ts`;
      if (OWN[form].includes(file)) return `${own}${file}.ts`;
      return KEPT.includes(file) ? null : `${hw}${file}.ts`;
    },
    transform(/** @type {string} */ code, /** @type {string} */ id) {
      if (!ENGINE.test(id)) return null;
      const text = rewrite(code, id);
      if (!text) return null;
      // what a workload does itself is counted apart
      const from = form === 'model' && WORKLOAD.test(id) ? `${own}client.ts` : access;
      // on the first line, so that no line moves
      text.prepend(`import { ${ACCESS} } from '${from}'; import { ${UPDATE} } from '${hw}update.ts';`);
      return { code: text.toString(), map: text.generateMap({ source: id, hires: true }) };
    },
  };
}

/**
 * @param {string} code TypeScript
 * @param {string} id for messages
 * @returns {MagicString | null} null when there is nothing to rewrite
 */
export function rewrite(code, id) {
  const { program, errors } = parseSync(id, code);
  if (errors.length > 0) throw new SyntaxError(`${id}: ${errors[0]?.message}`);
  const text = new MagicString(code);
  let found = false;
  walk(program, {
    enter(/** @type {Node} */ node, /** @type {Node} */ parent) {
      if (!isAccess(node)) return;
      found = true;
      const width = VIEWS[/** @type {keyof typeof VIEWS} */ (node.object.name)];
      const index = [node.object.end, node.property.start, node.property.end, node.end];
      if (parent?.type === 'AssignmentExpression' && parent.left === node) {
        assign(text, code, id, parent, width);
      } else if (parent?.type === 'UpdateExpression') {
        text.overwrite(parent.start, node.property.start, `__${parent.prefix ? 'pre' : 'post'}${width}(`);
        text.overwrite(node.property.end, parent.end, `, ${parent.operator === '++' ? 1 : -1})`);
      } else {
        text.overwrite(node.start, index[1], `__ld${width}(`);
        text.overwrite(index[2], node.end, ')');
      }
    },
  });
  return found ? text : null;
}

/** @param {Node} node */
function isAccess(node) {
  return node.type === 'MemberExpression' && node.computed && node.object.type === 'Identifier' &&
    Object.hasOwn(VIEWS, node.object.name);
}

/**
 * @param {MagicString} text
 * @param {string} code
 * @param {string} id
 * @param {Node} node the assignment
 * @param {string} width
 */
function assign(text, code, id, node, width) {
  const { property } = node.left;
  text.overwrite(node.start, property.start, `__st${width}(`);
  if (node.operator === '=') {
    text.overwrite(property.end, node.right.start, ', ');
  } else {
    if (!isPure(property)) throw new SyntaxError(`${id}: ${code.slice(node.start, node.end)}: name the word first`);
    const word = code.slice(property.start, property.end);
    text.overwrite(property.end, node.right.start, `, __ld${width}(${word}) ${node.operator.slice(0, -1)} (`);
    text.appendRight(node.right.end, ')');
  }
  text.appendRight(node.end, ')');
}

/** May be evaluated twice: no access to memory, no effect. @param {Node} node */
function isPure(node) {
  let pure = true;
  walk(node, {
    enter(/** @type {Node} */ inner) {
      if (isAccess(inner)) pure = false;
      if (inner.type === 'CallExpression' && !['mycpu', 'myslgd', 'btokup'].includes(inner.callee.name)) pure = false;
      if (inner.type === 'AssignmentExpression' || inner.type === 'UpdateExpression') pure = false;
    },
  });
  return pure;
}
