/**
 * check-views.mjs — what lets one source run natively, explored and modelled (docs/design, "Stepping"), enforced.
 *
 *   views     i32, u8, i64, f64 of hw/heap.js are indexed and nothing else, so that the build can turn each access into
 *             a call: never aliased, passed, returned, destructured, renamed, shadowed, or asked for a method
 *   atomics   Atomics is named in hw/atomics.ts only; the heap itself stays in hw/
 *   state     an operation changes nothing but the machine's memory, so no module has mutable state
 *   time      no clock, random number or timer; nowMs() only where TIME says
 *   lines     words of a line whose rule is `atomic` are not accessed plainly, other words not atomically (line-rules);
 *             racy() and racy64() say themselves that they may be late, and stand on any line
 *
 * The first and the last hold above hw/, which is what they are made of; the others from base/ to workload/, but for
 * the forms in hw/stepped, hw/baton, hw/stress and hw/model.
 *
 * @typedef {import('./sources.mjs').Sources} Sources
 * @typedef {import('./sources.mjs').Violation} Violation
 * @typedef {import('./line-rules.mjs').Fields} Fields
 * @typedef {any} Node
 * @typedef {(node: Node, what: string, right: string) => void} Complain
 */
import { walk } from 'oxc-walker';
import { loadLayouts } from './check-layouts.mjs';
import { checkLineRules, fieldsOf, OTHER_RULE } from './line-rules.mjs';
import { conclude, isMain, parentsOf, parse, readSources, resolve } from './sources.mjs';

const ENGINE = /^src\/(kern|vm|dragonfly|freebsd|netbsd|workload)\//;
/** the forms in hw/stepped and beside it make the rest step: their state is the schedule, not the machine */
const INSIDE = /^src\/(base|hw\/(?!stepped\/|baton\/|stress\/|model\/)|kern|vm|dragonfly|freebsd|netbsd|workload)/;

const VIEWS = new Set(['i32', 'u8', 'i64', 'f64']);
const ATOMICS = 'src/hw/atomics.ts';

/** mutable on purpose: `file name` -> why a re-run operation or another bundle is not surprised */
const STATE = new Map([
  ['src/kern/splz.ts clockFuncs', 'filled while modules are linked, then only read'],
  ['src/kern/lwkt_ipiq.ts ipiFuncs', 'filled while modules are linked, then only read'],
  ['src/freebsd/uma_func.ts umaFuncs', 'filled while modules are linked, then only read'],
  ['src/freebsd/vm_kern.ts lowmemFuncs', 'filled while modules are linked, then only read'],
  ['src/hw/curcpu.switch.ts curcpu', 'who executes is what this form of the file is for'],
  ['src/hw/heap.ts i32', 'the machine itself'],
  ['src/hw/heap.ts u8', 'the machine itself'],
  ['src/hw/heap.ts i64', 'the machine itself'],
  ['src/hw/heap.ts f64', 'the machine itself'],
]);

/** names that answer differently when asked again, or act outside the machine */
const FOREIGN = new Set([
  'Date', 'performance', 'process', 'globalThis', 'crypto', 'console', 'fetch', 'queueMicrotask', 'setTimeout',
  'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'WeakRef', 'FinalizationRegistry',
]);
/** `file name` -> why it may */
const FOREIGN_HERE = new Map([
  ['src/hw/time.ts performance', 'the clock'],
  ['src/hw/bind.ts globalThis', 'how an isolate is told its machine'],
  ['src/kern/lwkt_ipiq.ts globalThis', 'ipiFuncs: one table an isolate, filled while modules are linked'],
  ['src/workload/idle.ts setImmediate', 'between phases, where no operation is under way'],
]);

/** who may ask hw/time for the time -> why; vm/ and the allocators never may */
const TIME = [
  [/^src\/kern\/sleep\.ts$/, 'a sleep has an end'],
  [/^src\/kern\/ktr\.ts$/, 'events are stamped'],
  [/^src\/kern\/lwkt_ipiq\.ts$/, 'lwkt_wait_ipiq gives up after lwkt.ipiq_timeout'],
  [/^src\/workload\//, 'laps are measured, and end'],
];

/** exceptions that were asked for, so that those nobody needs any more can be told */
const asked = new Set();

/** @param {ReadonlyMap<string, string>} exceptions @param {string} key */
function excused(exceptions, key) {
  asked.add(key);
  return exceptions.has(key);
}

/** After checkViews of the whole tree. */
function staleExceptions() {
  return [STATE, FOREIGN_HERE, OTHER_RULE].flatMap((list) => [...list.keys()].filter((key) => !asked.has(key)));
}

/**
 * @param {Sources} sources
 * @param {Fields} fields
 * @returns {Violation[]}
 */
export function checkViews(sources, fields) {
  /** @type {Violation[]} */
  const violations = [];
  for (const [file, text] of sources) {
    if (!INSIDE.test(file)) continue;
    const { program, lineAt } = parse(file, text);
    /** @type {Complain} */
    const complain = (node, what, right) => violations.push({ file, line: lineAt(node.start), what, right });
    const parents = parentsOf(program);
    for (const statement of program.body) checkState(file, statement, complain);
    const bound = boundNames(program);
    walk(program, {
      enter(node) {
        if (node.type === 'Identifier') checkName(file, node, parents, bound, complain);
        checkImport(file, node, complain);
      },
    });
    if (ENGINE.test(file)) {
      checkViewUse(program, parents, complain);
      checkLineRules(file, program, parents, fields, complain, excused);
    }
  }
  return violations.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
}

// ---- views

/** @param {Node} program @param {Map<Node, Node>} parents @param {Complain} complain */
function checkViewUse(program, parents, complain) {
  walk(program, {
    enter(node) {
      if (node.type !== 'Identifier' || !VIEWS.has(node.name)) return;
      const parent = parents.get(node);
      if (isMemberName(node, parent) || parent.type === 'ImportSpecifier') return;
      // `export { i32 } from` is judged as an import
      if (parent.type === 'ExportSpecifier' && parents.get(parent).source) return;
      if (parent.type !== 'MemberExpression' || parent.object !== node || !parent.computed || parent.optional) {
        complain(node, `${node.name} ${misuse(node, parent)}`, 'write accesses as i32[word], just so');
        return;
      }
      const access = parents.get(parent);
      const target = access.type === 'AssignmentExpression' && access.left === parent;
      if (parent.property.type === 'Literal' && typeof parent.property.value === 'string') {
        complain(node, `${node.name} is asked for a property`, 'index it by word');
      } else if (target && /^(&&|\|\||\?\?)=$/.test(access.operator)) {
        complain(node, `${access.operator} on memory`, 'write the condition out');
      } else if (access.type === 'CallExpression' && access.callee === parent) {
        complain(node, 'a word of memory is called', 'memory holds numbers');
      } else if (isPattern(parent, access) || (access.type === 'UnaryExpression' && access.operator === 'delete')) {
        complain(node, 'memory as target of a pattern', 'assign words one by one');
      }
    },
  });
}

/** @param {Node} node @param {Node} parent */
function misuse(node, parent) {
  if (parent.type === 'MemberExpression' && parent.object === node) return 'is asked for a property';
  if (parent.type === 'CallExpression' || parent.type === 'NewExpression') return 'is passed away';
  if (parent.type === 'ReturnStatement' || parent.type === 'ArrowFunctionExpression') return 'is returned or shadowed';
  if (parent.type === 'ExportSpecifier') return 'is re-exported';
  if (parent.type === 'VariableDeclarator') return parent.id === node ? 'is shadowed' : 'is aliased';
  return 'is not indexed';
}

/** @param {Node} member @param {Node} parent */
function isPattern(member, parent) {
  if (parent.type === 'ArrayPattern' || parent.type === 'RestElement') return true;
  if (parent.type === 'AssignmentPattern' || /^For(In|Of)Statement$/.test(parent.type)) return parent.left === member;
  return parent.type === 'Property' && parent.value === member && parent.inPattern === true;
}

// ---- names

/**
 * @param {string} file
 * @param {Node} node an identifier
 * @param {Map<Node, Node>} parents
 * @param {ReadonlySet<string>} bound
 * @param {Complain} complain
 */
function checkName(file, node, parents, bound, complain) {
  const { name } = node;
  if (name === 'Atomics' && file !== ATOMICS) {
    complain(node, 'Atomics is named', 'use hw/atomics: the stepped build puts the scheduler there');
  }
  const parent = parents.get(node);
  if (isMemberName(node, parent)) {
    if (name === 'random' && parent.object.name === 'Math') complain(node, 'Math.random', 'use base/prng with a seed');
  } else if (FOREIGN.has(name) && !bound.has(name) && !excused(FOREIGN_HERE, `${file} ${name}`)) {
    complain(node, `${name} is no part of the machine`, 'a re-run operation must find the same answers');
  }
}

/** @param {string} file @param {Node} node @param {Complain} complain */
function checkImport(file, node, complain) {
  if (!('source' in node) || typeof node.source?.value !== 'string') return;
  const source = resolve(file, node.source.value);
  if (!ENGINE.test(file) || node.importKind === 'type') return;
  if (source === 'src/hw/bind.ts') complain(node, 'the heap itself is imported', 'use the views of hw/heap.js');
  if (source === 'src/hw/heap.ts') {
    const asIs = (/** @type {Node} */ n) => n.imported?.name === n.local.name;
    const plain = node.type === 'ImportDeclaration' && node.specifiers.every(asIs);
    if (!plain) complain(node, 'the views are re-exported or renamed', "import { i32 } from '../hw/heap.js'");
  }
  const names = (node.specifiers ?? []).map((/** @type {Node} */ n) => n.imported?.name);
  if (source === 'src/hw/time.ts' && names.includes('nowMs') && !TIME.some(([files]) => files.test(file))) {
    complain(node, 'asks for the time', 'only files named in check-views.mjs may, each for its reason');
  }
}

const DECLARES_MEMBER = /^(TSPropertySignature|TSMethodSignature|MethodDefinition|PropertyDefinition)$/;

/**
 * `x.name`, `{ name: ... }`: no reference to a variable of that name.
 * @param {Node} node
 * @param {Node} parent
 */
function isMemberName(node, parent) {
  if (parent.type === 'MemberExpression') return parent.property === node && !parent.computed;
  if (parent.type === 'Property') return parent.key === node && !parent.computed && !parent.shorthand;
  return DECLARES_MEMBER.test(parent.type) && parent.key === node;
}

/** Names a file declares anywhere; good enough to tell a parameter `process` from the global. @param {Node} program */
function boundNames(program) {
  /** @type {Set<string>} */
  const names = new Set();
  walk(program, {
    enter(/** @type {Node} */ node) {
      if (node.type === 'VariableDeclarator' || node.type === 'FunctionDeclaration') names.add(node.id?.name);
      if (/^Import.*Specifier$/.test(node.type)) names.add(node.local.name);
      for (const parameter of node.params ?? []) names.add(parameter.name ?? parameter.left?.name);
    },
  });
  return names;
}

// ---- state

/** @param {string} file @param {Node} statement of the module's top level @param {Complain} complain */
function checkState(file, statement, complain) {
  const declaration = statement.declaration ?? statement;
  if (declaration.type !== 'VariableDeclaration' || declaration.declare) return;
  for (const { id, init } of declaration.declarations) {
    const mutable = !isReadonly(id, init) && (isMutableType(id) || isMutable(init));
    if ((declaration.kind === 'const' && !mutable) || excused(STATE, `${file} ${id.name}`)) continue;
    const right = declaration.kind === 'const' ? 'Readonly, or `as const`, or in the heap' : 'state lives in the heap';
    complain(declaration, `${declaration.kind} ${id.name ?? 'a pattern'} of a module can change`, right);
  }
}

/** @param {Node} id @param {Node} init */
function isReadonly(id, init) {
  const type = id.typeAnnotation?.typeAnnotation;
  if (type?.type === 'TSTypeOperator' && type.operator === 'readonly') return true;
  if (type?.type === 'TSTypeReference' && /^Readonly/.test(type.typeName.name ?? '')) return true;
  return init?.type === 'TSAsExpression' && init.typeAnnotation.typeName?.name === 'const';
}

/** `x: T[]`, `x: Map<K, V>`, whatever it is made from. @param {Node} id */
function isMutableType(id) {
  const type = id.typeAnnotation?.typeAnnotation;
  return type?.type === 'TSArrayType' || /^(Array|Map|Set|WeakMap|Record)$/.test(type?.typeName?.name ?? '');
}

/**
 * Does evaluating this make a fresh object that can be changed? Results of calls are not looked into.
 * @param {Node} node
 * @returns {boolean}
 */
function isMutable(node) {
  switch (node?.type) {
    case 'NewExpression':
    case 'ArrayExpression':
    case 'ObjectExpression':
      return true;
    case 'CallExpression':
      return node.callee.type === 'MemberExpression' && isMutable(node.callee.object);
    case 'AssignmentExpression':
    case 'LogicalExpression':
      return isMutable(node.left) || isMutable(node.right);
    case 'ConditionalExpression':
      return isMutable(node.consequent) || isMutable(node.alternate);
    default:
      return node?.expression ? isMutable(node.expression) : false;
  }
}

if (isMain(import.meta)) {
  const sources = readSources(['src'], ['.ts']);
  const inside = [...sources.keys()].filter((file) => INSIDE.test(file)).length;
  const violations = checkViews(sources, fieldsOf(await loadLayouts()));
  for (const key of staleExceptions()) {
    violations.push({ file: 'scripts/check-views.mjs', line: 1, what: `nobody needs '${key}'`, right: 'remove it' });
  }
  conclude('views', violations, `${inside} files keep the stepping rules`);
}
