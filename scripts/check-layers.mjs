/**
 * check-layers.mjs — the architecture of src/README.md, enforced: imports go down only.
 *
 *   inside    base < hw < kern < vm < dragonfly | freebsd | netbsd < workload < engine.ts
 *   outside   observe < host < lab < suite < report < cli <
 *             index.ts, memstat.ts, vcpu.ts, phase_engine.ts, race.ts < workers/, bench/
 *
 * Outside layers run where no machine is bound, so of the inside they may import pure files only: those that do not
 * reach hw/bind.ts (and with it the heap) through any chain of imports. Types are erased and may come from any file
 * below. Inside code imports no package and no node: module.
 *
 * @typedef {import('./sources.mjs').Sources} Sources
 * @typedef {import('./sources.mjs').Violation} Violation
 * @typedef {{ to: string, specifier: string, line: number, typeOnly: boolean }} Edge
 */
import { readFileSync } from 'node:fs';
import { walk } from 'oxc-walker';
import { conclude, isMain, parse, readSources, resolve, root } from './sources.mjs';

/** lowest first; strangers on one row may not import each other */
const ROWS = [
  ['base'], ['hw'], ['kern'], ['vm'], ['dragonfly', 'freebsd', 'netbsd'], ['workload'], ['engine.ts'], ['stepped.ts', 'modelled.ts'],
  ['observe'], ['host'], ['lab'], ['suite'], ['report'], ['cli'],
  ['index.ts', 'memstat.ts', 'vcpu.ts', 'phase_engine.ts', 'race.ts'],
  ['workers', 'bench'],
];
const RANK = new Map(ROWS.flatMap((row, rank) => row.map((layer) => /** @type {const} */ ([layer, rank]))));
const rankOf = (/** @type {string} */ layer) => RANK.get(layer) ?? -1;
const FIRST_OUTSIDE = rankOf('observe');

/** importing this file needs a machine: it throws where none is bound */
const BIND = 'src/hw/bind.ts';
/** entry points above the inside that are a CPU themselves */
const BOUND_ENTRIES = new Set(['workers/vcpu.ts', 'src/phase_engine.ts']);

const FILE_MODULES = /^node:fs(\/|$)/;
const WORKER_MODULES = /^(node:worker_threads|piscina|comlink)(\/|$)/;
const FILE_LAYERS = new Set(['host', 'report', 'cli']);
const WORKER_LAYERS = new Set(['host', 'workers', 'vcpu.ts']);

/** `src/kern/x.ts` -> kern, `src/engine.ts` -> engine.ts, `workers/job.ts` -> workers @param {string} path */
export function layerOf(path) {
  const [top, second] = path.split('/');
  return (top === 'src' ? second : top) ?? '';
}

/**
 * @param {Sources} sources src/, workers/ and bench/
 * @param {ReadonlySet<string>} dependencies packages a user of smpalloc gets
 * @returns {Violation[]}
 */
export function checkLayers(sources, dependencies) {
  const graph = new Map([...sources].map(([file, text]) => [file, importsOf(file, text)]));
  /** @type {Violation[]} */
  const violations = [];
  for (const [file, edges] of graph) {
    const layer = layerOf(file);
    if (!RANK.has(layer)) {
      violations.push({ file, line: 1, what: `${layer} is no layer`, right: 'name its place in check-layers.mjs' });
      continue;
    }
    for (const edge of edges) {
      const wrong = edge.specifier.startsWith('.')
        ? wrongFile(file, layer, edge, graph)
        : wrongPackage(file, layer, edge, dependencies);
      if (wrong) violations.push({ file, line: edge.line, ...wrong });
    }
  }
  return violations;
}

/**
 * @param {string} file
 * @param {string} layer
 * @param {Edge} edge
 * @param {Map<string, Edge[]>} graph
 */
function wrongFile(file, layer, edge, graph) {
  const target = layerOf(edge.to);
  const what = `${layer} imports ${edge.to}`;
  if (!RANK.has(target)) return { what, right: 'code of src/ lives in src/' };
  if (target === layer) return null;
  if (rankOf(target) > rankOf(layer)) {
    return { what, right: `${target} is above ${layer}: move what is shared down, or register it from there` };
  }
  if (rankOf(target) === rankOf(layer)) return { what, right: `${target} and ${layer} are strangers to each other` };
  if (edge.typeOnly || rankOf(layer) < FIRST_OUTSIDE || rankOf(target) >= FIRST_OUTSIDE) return null;
  const chain = BOUND_ENTRIES.has(file) ? null : chainTo(BIND, edge.to, graph);
  if (!chain) return null;
  const short = chain.map((path) => path.replace('src/', '')).join(' -> ');
  return {
    what: `${what}, which needs a machine (${short})`,
    right: 'move constants to a *.layout.ts, or write `import type`',
  };
}

/**
 * @param {string} file
 * @param {string} layer
 * @param {Edge} edge
 * @param {ReadonlySet<string>} dependencies
 */
function wrongPackage(file, layer, edge, dependencies) {
  const { specifier, typeOnly } = edge;
  const what = `${layer} imports '${specifier}'`;
  if (rankOf(layer) < FIRST_OUTSIDE) {
    if (file === BIND && specifier === 'node:worker_threads') return null;
    return { what, right: 'base ... workload import no package and no node: module (but hw/bind.ts)' };
  }
  if (typeOnly) return null;
  if (WORKER_MODULES.test(specifier) && !WORKER_LAYERS.has(layer)) {
    return { what, right: 'workers belong to host/, workers/ and vcpu.ts' };
  }
  if (FILE_MODULES.test(specifier) && !FILE_LAYERS.has(layer)) {
    return { what, right: 'files are read and written in host/, report/ and cli/' };
  }
  const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  if (!specifier.startsWith('node:') && layer !== 'bench' && !dependencies.has(name)) {
    return { what, right: `${name} is not among the dependencies of package.json` };
  }
  return null;
}

/**
 * Shortest chain of run-time imports.
 * @param {string} goal
 * @param {string} start
 * @param {Map<string, Edge[]>} graph
 * @returns {string[] | null}
 */
function chainTo(goal, start, graph) {
  const seen = new Set([start]);
  const queue = [[start]];
  for (let chain = queue.shift(); chain; chain = queue.shift()) {
    const last = /** @type {string} */ (chain.at(-1));
    if (last === goal) return chain;
    for (const { to, typeOnly } of graph.get(last) ?? []) {
      if (typeOnly || seen.has(to)) continue;
      seen.add(to);
      queue.push([...chain, to]);
    }
  }
  return null;
}

/**
 * Every module a file names: imports, re-exports, `import()` of a literal, `import('x')` types.
 * @param {string} file
 * @param {string} text
 * @returns {Edge[]}
 */
function importsOf(file, text) {
  const { program, lineAt } = parse(file, text);
  /** @type {Edge[]} */
  const edges = [];
  walk(program, {
    enter(node) {
      const source = 'source' in node ? node.source : null;
      if (source?.type !== 'Literal' || typeof source.value !== 'string') return;
      const specifier = source.value;
      const line = lineAt(node.start);
      edges.push({ to: resolve(file, specifier), specifier, line, typeOnly: isTypeOnly(node) });
    },
  });
  return edges;
}

/**
 * `import { type A }` is not: it leaves `import 'x'` behind (verbatimModuleSyntax).
 * @param {any} node an import or export declaration, an import() or an import type
 */
function isTypeOnly(node) {
  return node.type === 'TSImportType' || node.importKind === 'type' || node.exportKind === 'type';
}

if (isMain(import.meta)) {
  const sources = readSources(['src', 'workers', 'bench'], ['.ts']);
  for (const file of sources.keys()) if (file.endsWith('.d.ts')) sources.delete(file);
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  const violations = checkLayers(sources, new Set(Object.keys(dependencies)));
  conclude('layers', violations, `${sources.size} files import downwards only`);
}
