/** model.ts — smpalloc model [SUITE|TRACE ...]: 1 to 256 CPUs in virtual time, exact counts. */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { CAC } from 'cac';
import { MAXCPU } from '../base/param.js';
import {
  ALLOC_NAMES, type AllocName, FREE_NAMES, type FreePolicy, STATS_NAMES, type StatsPolicy,
} from '../base/policy.js';
import { configure } from '../host/options.js';
import { bundledTraces } from '../host/trace/bundled.js';
import { probe } from '../lab/model/host_profile.js';
import type { CostProfile } from '../lab/model/profile.js';
import { parseProfile, PROFILE_NAMES, profileByName } from '../lab/model/profiles.js';
import { TRACE } from '../lab/model/trace.js';
import { MODEL_WORKLOADS } from '../lab/model/workloads.js';
import { cellsOfShard, modelCells, type ModelOptions, modelSuite, type Shard } from '../suite/model.js';
import { UsageError } from './exit.js';
import { fileOf, HTML_OPTION } from './html.js';
import { modelOutput } from './model_output.js';
import { validateModel } from './model_validate.js';
import { didYouMean, list, number, positive, tunables } from './options.js';
import type { Session } from './session.js';

export interface ModelFlags {
  cpus?: unknown;
  alloc?: unknown;
  free?: unknown;
  stats?: unknown;
  signalDelay?: unknown;
  profile?: unknown;
  ops?: unknown;
  seed?: unknown;
  memory?: unknown;
  tunable?: unknown;
  jobs?: unknown;
  shard?: unknown;
  html?: unknown;
  validate?: boolean;
  json?: boolean;
  quiet?: boolean;
}

const DEFAULT_WORKLOADS = ['stats-update', 'stats-malloc', 'xmalloc', 'ring'];
const DEFAULT_CPUS = '1,2,4,...,64';
const DEFAULT_PROFILE = 'one-socket';

export function modelCommand(cli: CAC, session: Session): void {
  const names = MODEL_WORKLOADS.join(', ');
  cli
    .command('model [...what]', `1 to ${MAXCPU} CPUs in virtual time: ${names}, or traces`)
    .option('--cpus <N,...>', `virtual CPUs (default: ${DEFAULT_CPUS}; 'a,b,...,z' goes on as it began)`)
    .option('--alloc <NAME,...>', `allocators: ${ALLOC_NAMES.join(', ')} (default: dragonfly)`)
    .option('--stats <POLICY,...>', `statistics policies: ${STATS_NAMES.join(', ')}`)
    .option('--free <POLICY,...>', `remote-free policies: ${FREE_NAMES.join(', ')}`)
    .option('--profile <NAME|FILE,...>', `cost profiles: ${PROFILE_NAMES.join(', ')}, host, or a file`)
    .option('--signal-delay <N,...>', "polls until a signal is seen, 'tick', or 'profile': what the hardware takes")
    .option('--ops <N>', 'operations measured a CPU (default: by workload)')
    .option('--seed <N>', 'seed of the random workloads (default: 1)')
    .option('--memory <SIZE>', "physical memory, such as '256MiB' (default: by CPUs)")
    .option('--tunable <NAME=N,...>', 'kernel variables at boot')
    .option('--jobs <N>', 'cells side by side (default: one a core)')
    .option('--shard <I/N>', 'only the I-th of N parts of the sweep; smpalloc merge joins the records')
    .option('--validate', 'the model against native runs at 1 and 2 CPUs, with a probe of this machine')
    .option(...HTML_OPTION)
    .option('--json', 'print the record, not tables')
    .option('--quiet', 'no progress, no warnings')
    .example('smpalloc model                                        # the claims at 64 CPUs')
    .example('smpalloc model larson --cpus 1,2,4,...,128 --profile chiplets --html larson.html')
    .example('smpalloc model ring --free rchunks --cpus 8 --signal-delay 0,30,1000')
    .example('smpalloc model redis-io3 --free ipi,rchunks --cpus 2,8   # a recorded trace')
    .example('smpalloc model --shard 1/4 --json > part1.json        # then smpalloc merge part*.json')
    .action((what: string[], flags: ModelFlags) => session.run(() => model(what, flags, session)));
}

async function model(what: string[], flags: ModelFlags, session: Session): Promise<number> {
  fileOf('--html', flags.html);
  const progress = session.progress(flags.quiet === true);
  progress.suite('model');
  const profiles = await profilesOf(flags.profile ?? DEFAULT_PROFILE, session.signal);
  const o: ModelOptions = {
    workloads: what.length > 0 ? what.map(workload) : DEFAULT_WORKLOADS,
    cpus: cpuList(flags.cpus ?? DEFAULT_CPUS),
    alloc: list<AllocName>('--alloc', flags.alloc, ALLOC_NAMES, 'an allocator'),
    free: list<FreePolicy>('--free', flags.free, FREE_NAMES),
    stats: list<StatsPolicy>('--stats', flags.stats, STATS_NAMES),
    signalDelays: flags.signalDelay === undefined ? null : delays(flags.signalDelay),
    profiles,
    seed: flags.seed === undefined ? 1 : number('--seed', flags.seed),
    ops: flags.ops === undefined ? null : positive('--ops', flags.ops),
    memory: flags.memory === undefined ? '' : String(flags.memory),
    tunables: tunables(flags.tunable),
    shard: flags.shard === undefined ? null : shard(flags.shard),
    jobs: flags.jobs === undefined ? availableParallelism() : positive('--jobs', flags.jobs),
    signal: session.signal,
    progress: (done, of, text) => progress.update(done, of, text),
  };
  checkMachines(o);
  if (flags.validate) return validateModel(o, flags, session);
  const cells = modelCells(o);
  const rows = await modelSuite(o, cells);
  progress.clear();
  const complete = !session.signal.aborted && rows.length === cellsOfShard(cells, o.shard).length;
  return modelOutput(rows, { cells: cells.length, complete, command: session.command, o, flags });
}

/** What boot would refuse is refused before anything runs. */
function checkMachines(o: ModelOptions): void {
  if (o.free !== null && o.alloc !== null && !o.alloc.includes('dragonfly')) {
    const names = o.alloc.join(', ');
    throw new UsageError(`--free: ${names} has no remote-free policies; expected --alloc dragonfly beside it`);
  }
  for (const { alloc, free, stats, cpus, memory, seed, tunables: own } of modelCells(o)) {
    configure({
      alloc, stats, cpus: cpus ?? 1, seed, tunables: { ...own }, ...(free !== '-' && { free }),
      ...(memory !== '' && { memory }),
    });
  }
}

/** A workload by name, or a trace: one of ours, or a file. */
function workload(name: string): string {
  if ((MODEL_WORKLOADS as readonly string[]).includes(name)) return name;
  const trace = name.startsWith(TRACE) ? name.slice(TRACE.length) : name;
  const ours = bundledTraces();
  if (ours.includes(trace) || (/[/\\.]/.test(trace) && existsSync(trace))) return TRACE + trace;
  const there = [...MODEL_WORKLOADS, ...ours];
  const hint = didYouMean(name, there);
  throw new UsageError(`model: no workload, trace or file '${name}'; ${hint}there are ${there.join(', ')}`);
}

/** '1,2,4' or '1,2,4,...,64': doubling where the last two do, else in equal steps. */
export function cpuList(value: unknown): number[] {
  const result: number[] = [];
  const words = String(value).split(',');
  for (const [n, word] of words.entries()) {
    if (word === '...') {
      const [a, b] = result.slice(-2);
      const end = cpuCount(words[n + 1] ?? '', value);
      if (a === undefined || b === undefined || b <= a || end <= b) throw badCpus(value);
      for (let next = b === 2 * a ? 2 * b : 2 * b - a, before = b; next < end; ) {
        result.push(next);
        const step = b === 2 * a ? next : next - before;
        before = next;
        next += step;
      }
    } else result.push(cpuCount(word, value));
  }
  return [...new Set(result)].sort((x, y) => x - y);
}

function cpuCount(word: string, value: unknown): number {
  const cpus = Number(word);
  if (word.trim() !== '' && Number.isInteger(cpus) && cpus >= 1 && cpus <= MAXCPU) return cpus;
  throw badCpus(value);
}

function badCpus(value: unknown): UsageError {
  return new UsageError(
    `--cpus: ${JSON.stringify(value)} is not usable; expected whole numbers from 1 to ${MAXCPU}, such as ` +
      "'1,2,8' or '1,2,4,...,64'",
  );
}

function delays(value: unknown): (number | 'tick' | 'profile')[] {
  return String(value).split(',').map((word) => {
    if (word === 'tick' || word === 'profile') return word;
    const polls = Number(word);
    if (word.trim() !== '' && Number.isInteger(polls) && polls >= 0) return polls;
    throw new UsageError(
      `--signal-delay: '${word}' is not usable; expected whole numbers of polls from 0, 'tick' or 'profile'`,
    );
  });
}

/** 'I/N', I from 1 to N. */
function shard(value: unknown): Shard {
  const match = /^(\d+)\/(\d+)$/.exec(String(value));
  const [part, of] = [Number(match?.[1]), Number(match?.[2])];
  if (match && part >= 1 && part <= of) return { part, of };
  throw new UsageError(`--shard: ${JSON.stringify(value)} is not usable; expected I/N with I from 1 to N, such as 2/4`);
}

async function profilesOf(value: unknown, signal: AbortSignal): Promise<CostProfile[]> {
  const result: CostProfile[] = [];
  for (const name of String(value).split(',')) result.push(await profileNamed(name, signal));
  return result;
}

async function profileNamed(name: string, signal: AbortSignal): Promise<CostProfile> {
  if (name === 'host') return (await probe({ signal })).profile;
  if ((PROFILE_NAMES as readonly string[]).includes(name)) return profileByName(name);
  if (/[/\\.]/.test(name) && existsSync(name)) return parseProfile(readJson(name), name);
  const there = [...PROFILE_NAMES, 'host'];
  throw new UsageError(
    `--profile: no profile or file '${name}'; ${didYouMean(name, there)}there are ${there.join(', ')}, and files`,
  );
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new UsageError(`--profile: ${path}: ${(cause as Error).message}`);
  }
}
