/**
 * line-rules.mjs — one line, one rule (check-views.mjs): code keeps to what the layouts say of each 64-byte line.
 *
 * The rules come from the struct() descriptions; an access is recognised by the field constant in its word index, as in
 * `i32[gd + GD_X]`, `i64[(z + Z_X) >>> 1]`, `load(word)` after `const word = gd + GD_X`. An index that comes as a
 * parameter is out of its sight.
 *
 * @typedef {ReadonlyMap<string, { struct: string, rule: string }>} Fields by name of the constant
 * @typedef {any} Node
 */
import { walk } from 'oxc-walker';
import { ruleOf, structsOf } from './check-layouts.mjs';
import { resolve } from './sources.mjs';

const VIEWS = new Set(['i32', 'u8', 'i64', 'f64']);
const ATOMIC_OPERATIONS = new Set(['load', 'store', 'cas', 'xchg', 'add', 'or', 'and']);

/**
 * `file FIELD` -> why the word is accessed plainly though its line is atomic, or atomically though it is not.
 * @type {ReadonlyMap<string, string>}
 */
export const OTHER_RULE = new Map([
  ['src/kern/lwkt_ipiq.ts GD_NPOLL', 'the defect R48 is a plain store where an atomic one belongs'],
  ['src/kern/malloc_profile.ts MP_REQUESTS', 'the defect R11 is a plain add where an atomic one belongs'],
]);

/**
 * Writing rules by field.
 * @param {ReadonlyMap<string, Record<string, unknown>>} layouts
 * @returns {Fields}
 */
export function fieldsOf(layouts) {
  const fields = new Map();
  for (const { struct } of structsOf(layouts)) {
    for (const [field, word] of Object.entries(struct.fields)) {
      fields.set(field, { struct: struct.name, rule: ruleOf(struct, word) });
    }
  }
  return fields;
}

/**
 * @param {string} file
 * @param {Node} program
 * @param {Map<Node, Node>} parents
 * @param {Fields} fields
 * @param {(node: Node, what: string, right: string) => void} complain
 * @param {(exceptions: ReadonlyMap<string, string>, key: string) => boolean} excused
 */
export function checkLineRules(file, program, parents, fields, complain, excused) {
  const atomics = atomicsOf(file, program);
  const aliases = wordConstants(program, parents);
  const judge = (/** @type {Node} */ node, /** @type {Node} */ index, /** @type {boolean} */ atomically) => {
    for (const name of operands(index, (word) => aliasOf(word, aliases, parents))) {
      const field = fields.get(name);
      if (!field || (field.rule === 'atomic') === atomically || excused(OTHER_RULE, `${file} ${name}`)) continue;
      const how = atomically ? 'accessed by an atomic operation' : 'accessed plainly';
      complain(node, `${field.struct}.${name} is ${how}, its line says '${field.rule}'`, 'one line, one rule');
    }
  };
  walk(program, {
    enter(/** @type {Node} */ node) {
      if (node.type === 'MemberExpression' && VIEWS.has(node.object.name)) judge(node, node.property, false);
      if (node.type === 'CallExpression' && atomics.has(node.callee.name)) judge(node, node.arguments[0], true);
    },
  });
}

/**
 * Names of the constants a word index is the sum of: `gd + GD_X`, `(gd + GD_X) >>> 1`, or a local name for such a sum.
 * @param {Node} index
 * @param {(word: Node) => Node | null} aliasOf
 * @returns {Generator<string>}
 */
function* operands(index, aliasOf) {
  if (index?.type === 'Identifier') {
    const alias = aliasOf(index);
    if (alias) yield* operands(alias, () => null);
    else yield index.name;
  } else if (index?.type === 'BinaryExpression') {
    yield* operands(index.left, aliasOf);
    if (index.operator === '+') yield* operands(index.right, aliasOf);
  } else if (index?.type === 'ParenthesizedExpression') yield* operands(index.expression, aliasOf);
}

/**
 * `const word = gd + GD_X`, by the function (or program) it stands in.
 * @param {Node} program
 * @param {Map<Node, Node>} parents
 * @returns {Map<Node, Map<string, Node>>}
 */
function wordConstants(program, parents) {
  const scopes = new Map();
  walk(program, {
    enter(/** @type {Node} */ node) {
      if (node.type !== 'VariableDeclarator' || node.init?.type !== 'BinaryExpression') return;
      const scope = scopeOf(node, parents);
      if (!scopes.has(scope)) scopes.set(scope, new Map());
      scopes.get(scope).set(node.id.name, node.init);
    },
  });
  return scopes;
}

/**
 * @param {Node} word
 * @param {Map<Node, Map<string, Node>>} scopes
 * @param {Map<Node, Node>} parents
 * @returns {Node | null}
 */
function aliasOf(word, scopes, parents) {
  for (let scope = scopeOf(word, parents); scope; scope = scopeOf(scope, parents)) {
    const alias = scopes.get(scope)?.get(word.name);
    if (alias) return alias;
  }
  return null;
}

/** @param {Node} node @param {Map<Node, Node>} parents @returns {Node} */
function scopeOf(node, parents) {
  let scope = parents.get(node);
  while (scope && scope.type !== 'Program' && !/Function/.test(scope.type)) scope = parents.get(scope);
  return scope;
}

/**
 * Local names of the atomic operations a file imports.
 * @param {string} file
 * @param {Node} program
 */
function atomicsOf(file, program) {
  /** @type {Set<string>} */
  const names = new Set();
  for (const node of program.body) {
    if (node.type !== 'ImportDeclaration' || resolve(file, node.source.value) !== 'src/hw/atomics.ts') continue;
    for (const { imported, local } of node.specifiers) if (ATOMIC_OPERATIONS.has(imported?.name)) names.add(local.name);
  }
  return names;
}
