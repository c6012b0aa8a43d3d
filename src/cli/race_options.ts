/** race_options.ts — the flags of the race commands: declared once, checked once, and spelled again for a replay. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import type { Command } from 'cac';
import {
  FREE_NAMES, type FreePolicy, MTX_NAMES, type MutexForm, STATS_NAMES, type StatsPolicy,
} from '../base/policy.js';
import type { BootOptions } from '../host/options.js';
import { catalogue } from '../lab/catalogue/index.js';
import { FUZZ_PREFIX } from '../lab/farm/fuzz.js';
import type { Settings } from '../lab/farm/job.js';
import type { Reference } from '../lab/farm/reference.js';
import { ALGORITHMS } from '../lab/search/index.js';
import type { Shard } from '../lab/search/search.js';
import { UsageError } from './exit.js';
import { didYouMean, number, positive, time } from './options.js';

export interface RaceFlags {
  preempt?: unknown;
  points?: unknown;
  mm?: unknown;
  algo?: unknown;
  casFails?: unknown;
  executions?: unknown;
  seed?: unknown;
  budget?: unknown;
  shard?: unknown;
  jobs?: unknown;
  state?: unknown;
  json?: boolean;
  html?: unknown;
  junit?: unknown;
  allFailures?: boolean;
  all?: boolean;
  defect?: unknown;
  free?: unknown;
  stats?: unknown;
  mutex?: unknown;
  invariants?: boolean;
  races?: boolean;
  rules?: boolean;
  countHeaps?: boolean;
  patience?: unknown;
  quiet?: boolean;
}

/** What the machine and its checks are. */
export function withSubjectFlags(command: Command): Command {
  return command
    .option('--defect <NAME,...>', 'switch defects on, such as R40 (race list names them)')
    .option('--free <POLICY>', `remote-free policy: ${FREE_NAMES.join(', ')}`)
    .option('--stats <POLICY>', `statistics policy: ${STATS_NAMES.join(', ')}`)
    .option('--mutex <FORM>', `how a mutex waits: ${MTX_NAMES.join(', ')}`)
    .option('--mm <MODEL>', 'memory model: sc, tso (store buffers)')
    .option('--points <WHICH>', 'scheduling points: at words that are shared, or all accesses (shared, all)')
    .option('--cas-fails <N|all>', 'failed compare-and-swaps of a word, after which an execution is cut (default: 1)')
    .option('--invariants', 'the flavour with all checks')
    .option('--no-races', 'no check for data races')
    .option('--no-rules', "no check of the layouts' writing rules");
}

export function withFarmFlags(command: Command): Command {
  return command
    .option('--jobs <N>', 'worker threads (default: one a core)')
    .option('--patience <TIME>', 'an operation that does nothing for so long never will (default: 10s)')
    .option('--quiet', 'no progress, no remarks');
}

/** @throws UsageError naming the flag, its value and what would be right */
export function settingsOf(flags: RaceFlags): Settings {
  const machine: BootOptions = {};
  if (flags.free !== undefined) machine.free = choice<FreePolicy>('--free', flags.free, FREE_NAMES);
  if (flags.stats !== undefined) machine.stats = choice<StatsPolicy>('--stats', flags.stats, STATS_NAMES);
  if (flags.mutex !== undefined) machine.mutex = choice<MutexForm>('--mutex', flags.mutex, MTX_NAMES);
  if (flags.invariants) machine.invariants = true;
  const defects = words(flags.defect);
  return {
    machine,
    ...(defects.length > 0 && { defects }),
    ...(flags.mm !== undefined && { memory: choice('--mm', flags.mm, ['sc', 'tso'] as const) }),
    ...(flags.points !== undefined && { points: choice('--points', flags.points, ['shared', 'all'] as const) }),
    ...(flags.casFails !== undefined && { casFails: casFails(flags.casFails) }),
    ...(flags.races === false && { races: false }),
    ...(flags.rules === false && { rules: false }),
  };
}

/** The flags that make these settings, with a blank before each. */
export function spelledSettings(settings: Settings): string {
  const { machine = {}, defects = [], memory, points, casFails: fails, races, rules } = settings;
  const flags = [
    defects.length > 0 && `--defect ${defects.join(',')}`,
    machine.free && `--free ${machine.free}`,
    machine.stats && `--stats ${machine.stats}`,
    machine.mutex && `--mutex ${machine.mutex}`,
    machine.invariants && '--invariants',
    memory && `--mm ${memory}`,
    points && `--points ${points}`,
    fails !== undefined && `--cas-fails ${Number.isFinite(fails) ? fails : 'all'}`,
    races === false && '--no-races',
    rules === false && '--no-rules',
  ];
  return flags.map((flag) => (flag ? ` ${flag}` : '')).join('');
}

export function patienceOf(flags: RaceFlags): number {
  return flags.patience === undefined ? 10_000 : time('--patience', flags.patience);
}

/** null: as many as there are cores, where it is worth it */
export function jobsOf(flags: RaceFlags): number | null {
  return flags.jobs === undefined ? null : atMost('--jobs', positive('--jobs', flags.jobs), 64);
}

export const lanesOf = (flags: RaceFlags): number => jobsOf(flags) ?? availableParallelism();

export function algorithmOf(flags: RaceFlags): string {
  const algorithm = String(flags.algo ?? 'bound');
  if (/^(?:bound|dpor|states|random|pos|pct:(?:[1-9]|1[0-6]))$/.test(algorithm)) return algorithm;
  const names = ALGORITHMS.map((name) => name.replace('DEPTH', '3'));
  const there = ALGORITHMS.join(', ');
  throw new UsageError(`--algo: '${algorithm}' is not usable; ${didYouMean(algorithm, names)}there are ${there}`);
}

/** '2/4' -> the second of four. */
export function shardOf(flags: RaceFlags): Shard | undefined {
  if (flags.shard === undefined) return undefined;
  const [, index, of] = /^(\d{1,4})\/(\d{1,4})$/.exec(String(flags.shard)) ?? [];
  const shard = { index: Number(index) - 1, of: Number(of) };
  if (index !== undefined && shard.index >= 0 && shard.index < shard.of) return shard;
  throw new UsageError(`--shard: ${JSON.stringify(flags.shard)} is not usable; expected i/n, such as 2/4`);
}

export function seedNumber(flags: RaceFlags): number {
  return flags.seed === undefined ? 1 : whole('--seed', flags.seed, 0, 0xffffffff);
}

export function whole(flag: string, value: unknown, least: number, most: number): number {
  const result = number(flag, value);
  if (Number.isInteger(result) && result >= least && result <= most) return result;
  throw new UsageError(`${flag}: ${result} is not usable; expected a whole number from ${least} to ${most}`);
}

function atMost(flag: string, value: number, most: number): number {
  if (value <= most) return value;
  throw new UsageError(`${flag}: ${value} is not usable; expected at most ${most}`);
}

function casFails(value: unknown): number {
  return value === 'all' ? Number.POSITIVE_INFINITY : whole('--cas-fails', value, 0, 1000);
}

export function choice<T extends string>(flag: string, value: unknown, names: readonly T[]): T {
  const text = String(value);
  if ((names as readonly string[]).includes(text)) return text as T;
  throw new UsageError(`${flag}: '${text}' is not usable; ${didYouMean(text, names)}there are ${names.join(', ')}`);
}

/** 'R40,R42', given once or several times */
export function words(value: unknown): string[] {
  if (value === undefined) return [];
  return [value].flat().flatMap((text) => String(text).split(',')).filter((text) => text !== '');
}

/** @throws UsageError when there is no such scenario, or no such file */
export function referenceOf(word: string): Reference {
  if (word.startsWith(FUZZ_PREFIX)) return { kind: 'fuzz', name: word };
  const [, path = '', name] = /^(.*?)(?:#([^#]*))?$/.exec(word)!;
  if (/[/\\]/.test(path) || /\.[cm]?[jt]s$/.test(path)) {
    if (!existsSync(path)) throw new UsageError(`race: no file '${path}'`);
    return { kind: 'file', path, url: pathToFileURL(path).href, name: name ?? null };
  }
  const names = catalogue.map((scenario) => scenario.name);
  if (names.includes(word)) return { kind: 'catalogue', name: word };
  const files = existsSync(word) ? `for the file write './${word}'; ` : '';
  throw new UsageError(`race: no scenario '${word}'; ${didYouMean(word, names)}${files}see smpalloc race list`);
}
