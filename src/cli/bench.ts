/** bench.ts — smpalloc bench [suite ...]: machines against each other. */
import type { CAC } from 'cac';
import { absentPeers, buildPeers } from '../host/peers.js';
import type { Row } from '../suite/claims.js';
import { ipiSuite } from '../suite/ipi.js';
import { loopSuite } from '../suite/loop_suite.js';
import { LOOP_NAMES, type LoopName } from '../suite/loops.js';
import { statsSuite } from '../suite/stats.js';
import type { SuiteOptions } from '../suite/suite.js';
import { CORE_OPTION } from './core_flag.js';
import { UsageError } from './exit.js';
import { didYouMean, type Flags, suiteOptions, withFlags } from './options.js';
import { output } from './output.js';
import type { Session } from './session.js';

export const SUITES: Readonly<Record<string, string>> = {
  ipi: 'IPI messages of recorded traces: one a remote free, against z_RChunks (DragonFly 2010)',
  stats: 'malloc_type statistics: mutex, atomic, per-CPU (FreeBSD 2005)',
  pair: 'allocate 64 bytes, free them (one CPU)',
  local: '1024 live blocks of 16 to 1024 bytes, replaced at random (one CPU)',
  larson: 'blocks that outlive their turn: freed by the next CPU',
  xmalloc: 'producers allocate, consumers free: all frees remote',
  ring: "each CPU frees its neighbour's blocks",
};
const DEFAULT_SUITES = ['ipi', 'stats'];

export function benchCommand(cli: CAC, session: Session): void {
  const what = `Measure: ${Object.keys(SUITES).join(', ')} (default: ${DEFAULT_SUITES.join(' ')})`;
  withFlags(cli.command('bench [...suites]', what))
    .option('--peers', 'measure glibc, mimalloc, jemalloc and tcmalloc in the same rounds (needs cc)')
    .option(...CORE_OPTION)
    .example('smpalloc bench                                  # the main job')
    .example('smpalloc bench pair local --peers               # against malloc in C')
    .example('smpalloc bench pair larson --alloc dragonfly,freebsd')
    .example('smpalloc bench ring --free rchunks --signal-delay 30')
    .action((suites: string[], flags: Flags) => session.run(() => bench(suites, flags, session), flags));
}

async function bench(names: string[], flags: Flags, session: Session): Promise<number> {
  for (const name of names) {
    if (Object.hasOwn(SUITES, name)) continue;
    const there = Object.keys(SUITES);
    throw new UsageError(`bench: no suite '${name}'; ${didYouMean(name, there)}there are ${there.join(', ')}`);
  }
  const progress = session.progress(flags.quiet === true);
  const o = suiteOptions(flags, session.signal, (done, of, what) => progress.update(done, of, what));
  if (o.peers) await preparePeers(flags);
  const rows: Row[] = [];
  for (const name of names.length > 0 ? names : DEFAULT_SUITES) {
    if (o.signal.aborted) break;
    progress.suite(name);
    try {
      rows.push(...(await oneSuite(name, o)));
    } catch (cause) {
      // interrupted before it knew anything: what the others found out stands
      if (!o.signal.aborted) throw cause;
    }
  }
  progress.clear();
  return output(rows, session.command, o, flags);
}

function oneSuite(name: string, o: SuiteOptions): Promise<Row[]> {
  if (name === 'ipi') return ipiSuite(o);
  if (name === 'stats') return statsSuite(o);
  return loopSuite(LOOP_NAMES.find((loop) => loop === name) as LoopName, o);
}

async function preparePeers(flags: Flags): Promise<void> {
  await buildPeers();
  const absent = absentPeers();
  if (absent.length > 0 && !flags.quiet) process.stderr.write(`peers not installed, skipped: ${absent.join(', ')}\n`);
}
