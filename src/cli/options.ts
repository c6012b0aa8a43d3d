/** options.ts — the flags bench and replay share: declared once, checked once; and how values are read. */
import { availableParallelism } from 'node:os';
import type { Command } from 'cac';
import { didYouMean } from '../base/nearest.js';
import {
  ALLOC_NAMES, type AllocName, FREE_NAMES, type FreePolicy, STATS_NAMES, type StatsPolicy,
} from '../base/policy.js';
import { configure } from '../host/options.js';
import { TUNABLES } from '../kern/sysctl.js';
import type { SuiteOptions } from '../suite/suite.js';
import { UsageError } from './exit.js';
import { failure } from './fail.js';
import { fileOf, HTML_OPTION } from './html.js';

export { didYouMean };

export interface Flags {
  cpus?: unknown;
  memory?: unknown;
  alloc?: unknown;
  free?: unknown;
  stats?: unknown;
  signalDelay?: unknown;
  seed?: unknown;
  rounds?: unknown;
  ops?: unknown;
  duration?: unknown;
  timeout?: unknown;
  tunable?: unknown;
  fail?: unknown;
  profile?: boolean;
  ktr?: unknown;
  warmUp?: unknown;
  listen?: unknown;
  core?: unknown;
  invariants?: boolean;
  peers?: boolean;
  json?: boolean;
  html?: unknown;
  quiet?: boolean;
  strict?: boolean;
}

/** Flags that say what a machine is. */
export function withMachineFlags(command: Command): Command {
  return command
    .option('--cpus <N>', 'virtual CPUs (default: one a core, at least 2)')
    .option('--memory <SIZE>', "physical memory of a machine, such as '256MiB'")
    .option('--alloc <NAME,...>', `allocators, side by side: ${ALLOC_NAMES.join(', ')} (default: dragonfly)`)
    .option('--free <POLICY,...>', `remote-free policies: ${FREE_NAMES.join(', ')}`)
    .option('--stats <POLICY,...>', `statistics policies: ${STATS_NAMES.join(', ')}`)
    .option('--signal-delay <N|tick>', "polls until a remote-free signal is seen, or 'tick'")
    .option('--seed <N>', 'seed of the random workloads (default: 1)')
    .option('--tunable <NAME=N,...>', 'kernel variables at boot, such as kern.zone_cache=8')
    .option('--fail <RATE[,type=NAME][,cpu=N]>', 'one of RATE mallocs fails (freebsd)')
    .option('--ktr <N>', 'keep the last N events of each CPU, for panics and ddb: makes everything slower')
    .option('--listen <PATH>', "socket at which smpalloc vmstat may watch a suite's first machine")
    .option('--invariants', 'run the flavour with all checks');
}

export function withFlags(command: Command): Command {
  return withMachineFlags(command)
    .option('--rounds <N>', 'timed rounds a policy')
    .option('--ops <N>', 'operations a round and CPU (default: as many as fill a round)')
    .option('--duration <TIME>', "length of a round, such as '40ms' or '1s' (default: 40ms)")
    .option('--warm-up <TIME>', 'work before measuring (default: until V8 has settled)')
    .option('--timeout <TIME>', 'longest a single round may take (default: 120s)')
    .option('--profile', 'count requests by size, and what they were given (MALLOC_PROFILE; slower)')
    .option('--json', 'print the record, not tables')
    .option(...HTML_OPTION)
    .option('--quiet', 'no progress, no warnings');
}

/** @throws UsageError or SmpallocError naming the flag, its value and what would be right */
export function suiteOptions(flags: Flags, signal: AbortSignal, progress: SuiteOptions['progress']): SuiteOptions {
  const cpusGiven = flags.cpus !== undefined;
  const cpus = cpusGiven ? number('--cpus', flags.cpus) : Math.max(2, availableParallelism());
  const alloc = list<AllocName>('--alloc', flags.alloc, ALLOC_NAMES, 'an allocator');
  const options: SuiteOptions = {
    cpus,
    cpusGiven,
    memory: flags.memory === undefined ? '' : String(flags.memory),
    alloc,
    free: list<FreePolicy>('--free', flags.free, FREE_NAMES),
    stats: list<StatsPolicy>('--stats', flags.stats, STATS_NAMES),
    signalDelay: flags.signalDelay === undefined ? null : delay(flags.signalDelay),
    seed: flags.seed === undefined ? 1 : number('--seed', flags.seed),
    rounds: flags.rounds === undefined ? null : positive('--rounds', flags.rounds),
    ops: flags.ops === undefined ? null : positive('--ops', flags.ops),
    roundMs: flags.duration === undefined ? 40 : time('--duration', flags.duration),
    invariants: flags.invariants === true,
    tunables: tunables(flags.tunable),
    profile: flags.profile === true,
    fail: failure(flags.fail, alloc, cpus),
    ...(flags.quiet !== true && { console: (line: string) => void process.stderr.write(`kernel: ${line}\n`) }),
    warmUpMs: flags.warmUp === undefined ? null : time('--warm-up', flags.warmUp),
    ktr: flags.ktr === undefined ? 0 : positive('--ktr', flags.ktr),
    listen: flags.listen === undefined ? null : String(flags.listen),
    timeout: flags.timeout === undefined ? 120_000 : time('--timeout', flags.timeout),
    peers: flags.peers === true,
    signal,
    progress,
  };
  if (options.free !== null && alloc !== null && !alloc.includes('dragonfly')) {
    const names = alloc.join(', ');
    throw new UsageError(`--free: ${names} has no remote-free policies; expected --alloc dragonfly beside it`);
  }
  fileOf('--html', flags.html);
  // what boot would refuse is refused before anything runs
  for (const free of options.free ?? ['rbatch' as const]) {
    configure({
      cpus: options.cpus, free, seed: options.seed, tunables: { ...options.tunables },
      ...(options.ktr && { ktr: options.ktr }),
      ...(options.memory !== '' && { memory: options.memory }),
      ...(options.signalDelay !== null && { signalDelay: options.signalDelay }),
    });
  }
  return options;
}

export function number(flag: string, value: unknown): number {
  const result = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof result === 'number' && Number.isFinite(result)) return result;
  throw new UsageError(`${flag}: ${JSON.stringify(value)} is not a number`);
}

export function positive(flag: string, value: unknown): number {
  const result = number(flag, value);
  if (Number.isInteger(result) && result > 0) return result;
  throw new UsageError(`${flag}: ${result} is not usable; expected a whole number from 1`);
}

function delay(value: unknown): number | 'tick' {
  if (value === 'tick') return value;
  const polls = Number(value);
  if (value !== '' && Number.isInteger(polls) && polls >= 0) return polls;
  const given = JSON.stringify(value);
  throw new UsageError(`--signal-delay: ${given} is not usable; expected a whole number of polls from 0, or 'tick'`);
}

/** Milliseconds from '40ms', '1.5s', '2m', or a bare number of seconds. */
export function time(flag: string, value: unknown): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|)\s*$/.exec(String(value));
  const unit = match && { ms: 1, s: 1000, m: 60_000, '': 1000 }[match[2]!];
  if (!match || !unit || Number(match[1]) === 0) {
    throw new UsageError(`${flag}: ${JSON.stringify(value)} is not a time; expected such as '40ms', '2s' or '1m'`);
  }
  return Number(match[1]) * unit;
}

export function list<T extends string>(
  flag: string, value: unknown, names: readonly T[], what = 'a policy',
): T[] | null {
  if (value === undefined) return null;
  const values = String(value).split(',');
  for (const one of values) {
    if ((names as readonly string[]).includes(one)) continue;
    throw new UsageError(`${flag}: '${one}' is not ${what}; ${didYouMean(one, names)}there are ${names.join(', ')}`);
  }
  return values as T[];
}

export function tunables(value: unknown): Record<string, number> {
  const result: Record<string, number> = {};
  for (const pair of value === undefined ? [] : [value].flat().flatMap((text) => String(text).split(','))) {
    const [name, text, ...rest] = pair.split('=');
    if (!name || !text || rest.length > 0) throw new UsageError(`--tunable: '${pair}' is not NAME=NUMBER`);
    if (!Object.hasOwn(TUNABLES, name)) {
      const names = Object.keys(TUNABLES);
      throw new UsageError(`--tunable: no variable '${name}'; ${didYouMean(name, names)}there are ${names.join(', ')}`);
    }
    result[name] = number(`--tunable ${name}`, text);
  }
  return result;
}
