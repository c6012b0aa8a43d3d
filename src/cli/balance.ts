/** balance.ts — smpalloc balance SOURCE: who allocates and who frees, by type and CPU. */
import type { CAC } from 'cac';
import type { OpenSource } from '../host/sysctl_source.js';
import { type BalanceRow, balance } from '../observe/balance.js';
import { memstatMtlAlloc } from '../observe/memstat/list.js';
import { memstatKvmMalloc, memstatSysctlMalloc } from '../observe/memstat/malloc.js';
import { readText } from '../observe/memstat/source.js';
import { table } from '../report/table.js';
import { UsageError } from './exit.js';
import type { Session } from './session.js';
import { checked, factsOf, openFor, watch, type WatchFlags } from './watch.js';

/** policies whose counters say which CPU it was */
const OWN_SLOT = ['critical', 'unpadded'];

export function balanceCommand(cli: CAC, session: Session): void {
  cli
    .command('balance <source>', 'Who allocates, who frees: malloc types by CPU, of any source vmstat takes')
    .option('-w, --wait <TIME>', "show it again every so often, such as '1s'")
    .option('-c, --count <N>', 'so often; without -w once a second')
    .option('--json', 'one JSON text a view')
    .example('smpalloc bench larson --listen /tmp/machine & smpalloc balance /tmp/machine')
    .example('smpalloc balance vmcore                         # a core dump')
    .action((path: string, flags: WatchFlags) => session.run(() => show(path, flags, session)));
}

async function show(path: string, flags: WatchFlags, session: Session): Promise<number> {
  const open = await openFor(path, session);
  if (!open.names.includes('kern.malloc_stats')) {
    throw new UsageError(`balance: ${path} is a stream of vm.zone_stats; expected one of kern.malloc_stats`);
  }
  const facts = await factsOf(open);
  if (facts && !OWN_SLOT.includes(facts.stats)) {
    const note = `statistics policy ${facts.stats}: all CPUs count in one place, which is shown as CPU 0`;
    process.stderr.write(`warning: ${note}\n`);
  }
  const ncpu = facts?.ncpu ?? Number(await readText(open.source, 'kern.smp.maxcpus'));
  const list = memstatMtlAlloc();
  return watch(open, flags, session, async () => {
    const { memory, source } = open;
    const result = memory ? memstatKvmMalloc(list, memory) : await memstatSysctlMalloc(list, source);
    checked(result, list, path, 'malloc types', open);
    const rows = balance([...list], ncpu);
    return flags.json ? `${JSON.stringify(json(open, rows))}\n` : `${text(rows)}\n`;
  });
}

function json({ kind }: OpenSource, rows: readonly BalanceRow[]): unknown {
  // JSON has no u64
  const exact = (value: bigint) => (value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value));
  return {
    kind,
    rows: rows.map(({ type, cpu, allocs, frees, allocated, freed }) => ({
      type, cpu, allocs: exact(allocs), frees: exact(frees), allocated: exact(allocated), freed: exact(freed),
    })),
  };
}

function text(rows: readonly BalanceRow[]): string {
  const number = (value: bigint) => value.toLocaleString('en-US');
  // a slot that frees what others allocated goes below zero: only the sum of a type means something
  const signed = (value: bigint) => `${value > 0n ? '+' : ''}${number(value)}`;
  return table<BalanceRow>(
    [
      { head: 'type', cell: ({ type }) => type, left: true },
      { head: 'cpu', cell: ({ cpu }) => String(cpu) },
      { head: 'allocs', cell: ({ allocs }) => number(allocs) },
      { head: 'frees', cell: ({ frees }) => number(frees) },
      { head: 'blocks', cell: ({ allocs, frees }) => signed(allocs - frees) },
      { head: 'allocated B', cell: ({ allocated }) => number(allocated) },
      { head: 'freed B', cell: ({ freed }) => number(freed) },
      { head: 'bytes', cell: ({ allocated, freed }) => signed(allocated - freed) },
    ],
    rows,
  );
}
