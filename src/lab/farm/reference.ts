/**
 * reference.ts — which scenario is meant, as a worker can be told: of the catalogue, of a file, or one that fuzz made.
 */
import { register } from 'node:module';
import { SmpallocError } from '../../base/errors.js';
import { distUrl } from '../../host/root.js';
import { catalogue, findScenario } from '../catalogue/index.js';
import { parseProgram } from './fuzz.js';
import { isScenario, type Scenario } from '../scenario.js';

export type Reference =
  | { readonly kind: 'catalogue'; readonly name: string }
  | { readonly kind: 'fuzz'; readonly name: string }
  /** @property name of one of the file's scenarios; null: all of them */
  | { readonly kind: 'file'; readonly url: string; readonly path: string; readonly name: string | null };

/** As the command line would have it again. */
export function spelled(reference: Reference): string {
  if (reference.kind !== 'file') return reference.name;
  return reference.name === null ? reference.path : `${reference.path}#${reference.name}`;
}

/** @throws SmpallocError ESMP_INPUT when there is none, or the file cannot be used */
export async function loadScenarios(reference: Reference): Promise<readonly Scenario[]> {
  if (reference.kind === 'fuzz') return [parseProgram(reference.name)];
  if (reference.kind === 'catalogue') return reference.name === 'all' ? catalogue : [findScenario(reference.name)];
  const scenarios = await ofFile(reference.url, reference.path);
  const { name } = reference;
  if (name === null) return scenarios;
  const found = scenarios.filter((one) => one.name === name);
  if (found.length > 0) return found;
  const there = scenarios.map((one) => one.name).join(', ');
  throw new SmpallocError('ESMP_INPUT', `${reference.path}: there is no scenario '${name}' in it; it has ${there}`);
}

/** A file that lies where no smpalloc is installed gets this one. */
async function importFile(url: string): Promise<{ default?: unknown }> {
  try {
    return await import(url);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes("'smpalloc'")) throw cause;
    register(`data:text/javascript,${encodeURIComponent(HOOKS)}`, { data: { race: distUrl('race.js').href } });
    const again = new URL(url);
    again.searchParams.set('again', '');
    return import(again.href);
  }
}

const HOOKS = `
let race;
export const initialize = (data) => { race = data.race; };
export const resolve = (specifier, context, next) =>
  specifier === 'smpalloc/race' ? { url: race, shortCircuit: true } : next(specifier, context);
`;

async function ofFile(url: string, path: string): Promise<readonly Scenario[]> {
  const wrong = (what: string, cause?: unknown) => new SmpallocError('ESMP_INPUT', `${path}: ${what}`, { cause });
  let module: { default?: unknown };
  try {
    module = await importFile(url);
  } catch (cause) {
    if (SmpallocError.is(cause)) throw wrong(cause.message, cause);
    const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
    throw wrong(`cannot be loaded: ${name}: ${message}`, cause);
  }
  const right = "expected `export default scenario('name', { ... })` of 'smpalloc/race', or a list of them";
  const scenarios = [module.default].flat();
  if (module.default === undefined) throw wrong(`has no default export; ${right}`);
  if (scenarios.length === 0) throw wrong(`exports an empty list; ${right}`);
  const names = new Set<string>();
  for (const one of scenarios) {
    if (!isScenario(one)) throw wrong(`its default export is no scenario; ${right}`);
    if (names.has(one.name)) throw wrong(`two scenarios are called '${one.name}'`);
    names.add(one.name);
  }
  return scenarios as Scenario[];
}
