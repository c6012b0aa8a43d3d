/** list.ts — smpalloc list: suites, policies, traces, variables. */
import type { CAC } from 'cac';
import { ALLOC_NAMES, FREE_NAMES, MTX_NAMES, STATS_NAMES } from '../base/policy.js';
import { bundledTraces } from '../host/trace/bundled.js';
import { TUNABLES } from '../kern/sysctl.js';
import { PROFILE_NAMES, profileByName } from '../lab/model/profiles.js';
import { MODEL_WORKLOADS } from '../lab/model/workloads.js';
import { sysctlNames } from '../observe/memory.js';
import { table } from '../report/table.js';
import { SUITES } from './bench.js';
import type { Session } from './session.js';

export function listCommand(cli: CAC, session: Session): void {
  cli
    .command('list', 'What there is: suites, models, policies, profiles, traces, variables')
    .option('--json', 'as JSON')
    .action((flags: { json?: boolean }) => session.run(async () => list(flags.json === true)));
}

const ALLOCATORS: Readonly<Record<string, string>> = {
  dragonfly: "DragonFly's slab allocator: zones a CPU owns, frees that go home to them",
  freebsd: "FreeBSD's malloc(9) on UMA: buckets a CPU fills and empties, slabs behind a lock",
};

function list(json: boolean): number {
  const traces = bundledTraces();
  const what = {
    suites: SUITES, workloads: MODEL_WORKLOADS, profiles: PROFILE_NAMES, free: FREE_NAMES, stats: STATS_NAMES,
    mutex: MTX_NAMES, allocators: ALLOC_NAMES, traces,
    tunables: Object.fromEntries(Object.entries(TUNABLES).map(([name, { initial, doc }]) => [name, { initial, doc }])),
    sysctls: sysctlNames(),
  };
  process.stdout.write(json ? `${JSON.stringify(what, null, 2)}\n` : `${text(what)}\n`);
  return 0;
}

interface Listed {
  suites: Readonly<Record<string, string>>;
  /** of the model */
  workloads: readonly string[];
  profiles: readonly string[];
  allocators: readonly string[];
  free: readonly string[];
  stats: readonly string[];
  traces: readonly string[];
}

function text(what: Listed): string {
  const rows = [
    ...Object.entries(what.suites).map(([name, doc]) => ['suite', name, doc]),
    ...what.workloads.map((name) => ['model', name, SUITES[name] ?? '']),
    ...what.profiles.map((name) => ['--profile', name, profileByName(name).title]),
    ...what.allocators.map((name) => ['--alloc', name, ALLOCATORS[name] ?? '']),
    ...what.free.map((name) => ['--free', name, '']),
    ...what.stats.map((name) => ['--stats', name, '']),
    ...what.traces.map((name) => ['trace', name, '']),
    ...Object.entries(TUNABLES).map(([name, { initial, doc }]) => ['--tunable', `${name}=${initial}`, doc]),
  ];
  const column = (n: number) => ({ head: ['kind', 'name', 'what'][n]!, cell: (row: string[]) => row[n]!, left: true });
  return table([column(0), column(1), column(2)], rows);
}
