/** race_confirm.ts — smpalloc race confirm: is the catalogue what it says? */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { RaceFarm } from '../host/race_farm.js';
import { packageRoot } from '../host/root.js';
import { catalogue } from '../lab/catalogue/index.js';
import type { Measured } from '../lab/catalogue/measured.js';
import { type Confirmation, confirm, type ConfirmTask } from '../lab/confirm.js';
import { costOf } from '../lab/cost.js';
import { expectedFailures } from '../lab/farm/regress.js';
import type { Scenario } from '../lab/scenario.js';
import { measuredEntry } from '../report/confirm_measured.js';
import { confirmLine, confirmTable } from '../report/confirm_text.js';
import { EXIT_CLAIM, EXIT_INTERRUPTED, EXIT_OK, UsageError } from './exit.js';
import { time } from './options.js';
import { paint } from './race_explore.js';
import { lanesOf, patienceOf, type RaceFlags, seedNumber, shardOf, whole, words } from './race_options.js';
import { isWhole, targetsOf } from './race_targets.js';
import type { Session } from './session.js';

export interface ConfirmFlags extends RaceFlags {
  time?: unknown;
  real?: unknown;
  update?: boolean;
}

const STRESS_MS = 2500;
const SEEK_MS = 60_000;
const COUNT_MS = 1500;
const CLEAN_MS = 60_000;
const REPLAYS = 100;
const MEASURED_FILE = fileURLToPath(new URL('src/lab/catalogue/measured.json', packageRoot));

type Wanted = Pick<ConfirmTask, 'scenario' | 'reference' | 'defects' | 'cls'>;

export async function raceConfirm(names: readonly string[], flags: ConfirmFlags, session: Session): Promise<number> {
  const wanted = await wantedOf(names, flags);
  if (flags.update && !existsSync(MEASURED_FILE)) {
    throw new UsageError(`--update: only in a clone: it writes ${MEASURED_FILE}`);
  }
  const options = {
    seekMs: SEEK_MS, countMs: COUNT_MS, cleanMs: CLEAN_MS, seed: seedNumber(flags),
    stressMs: flags.time === undefined ? STRESS_MS : time('--time', flags.time),
    replays: flags.real === undefined ? REPLAYS : whole('--real', flags.real, 1, 1_000_000),
  };
  await using farm = new RaceFarm(lanesOf(flags), patienceOf(flags));
  session.signal.addEventListener('abort', () => farm.stop());
  const progress = session.progress(flags.quiet === true);
  const done: Confirmation[] = [];
  for (const [n, one] of wanted.entries()) {
    if (session.signal.aborted) break;
    progress.suite(`race confirm ${one.scenario.name}`);
    const say = (what: string) => progress.update(n, wanted.length, `${n} of ${wanted.length}  ${what}`);
    const result = await confirm({ ...one, ...options }, farm, say, session.signal).catch((cause: unknown) => {
      if (session.signal.aborted) return null;
      throw cause;
    });
    if (!result || session.signal.aborted) break;
    done.push(result);
    if (flags.update) await remember(result, one);
    progress.clear();
    process.stdout.write(`${flags.json ? JSON.stringify(result) : confirmLine(result, paint)}\n`);
  }
  if (!flags.json && done.length > 1) process.stdout.write(`\n${confirmTable(done, paint)}\n`);
  if (session.signal.aborted) {
    process.stderr.write('interrupted: this is what was known\n');
    return EXIT_INTERRUPTED;
  }
  return done.some(({ problem }) => problem !== '') ? EXIT_CLAIM : EXIT_OK;
}

/** @throws UsageError */
async function wantedOf(names: readonly string[], flags: ConfirmFlags): Promise<Wanted[]> {
  const defects = words(flags.defect);
  const shard = shardOf(flags);
  const whole = isWhole(names, flags);
  const targets = await targetsOf('race confirm', names, flags, () => catalogue.filter(isEntry));
  const wanted = targets.flatMap(({ scenario, reference }) => failuresOf(scenario, defects, whole)
    .map((failure) => ({ scenario, reference, ...failure })));
  const mine = wanted.filter((_, n) => !shard || n % shard.of === shard.index);
  if (mine.length === 0) throw new UsageError('race confirm: nothing is expected to fail there');
  return mine;
}

/** Of an entry, what `race show` and its page tell; of the others, what they told before. */
async function remember(c: Confirmation, { scenario, defects }: Wanted): Promise<void> {
  const cost = await costOf(scenario, defects);
  const measured = JSON.parse(readFileSync(MEASURED_FILE, 'utf8')) as Measured;
  const environment: Measured['environment'] = {
    node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(),
    date: new Date().toISOString().slice(0, 10),
  };
  const entries = { ...measured.entries, [c.scenario]: measuredEntry(c, cost) };
  const names = catalogue.map(({ name }) => name).filter((name) => name in entries);
  const sorted = Object.fromEntries(names.map((name) => [name, entries[name]]));
  writeFileSync(MEASURED_FILE, `${JSON.stringify({ environment, entries: sorted }, null, 1)}\n`);
}

/** Entries have a lesson; variants of them, and programs that only pass, have none. */
function isEntry(scenario: Scenario): boolean {
  return scenario.lesson !== undefined && expectedFailures(scenario).length > 0;
}

/** What is expected of a scenario to fail; of an entry, among all of them, the first. */
function failuresOf(scenario: Scenario, defects: readonly string[], first: boolean): Pick<Wanted, 'defects' | 'cls'>[] {
  const all = expectedFailures(scenario).filter((one) => defects.every((defect) => one.defects.includes(defect)));
  if (all.length > 0 || first) return first ? all.slice(0, 1) : all;
  const has = expectedFailures(scenario).map((one) => one.defects.join(',') || 'itself').join(', ') || 'nothing';
  const given = defects.length > 0 ? ` with ${defects.join(', ')}` : '';
  throw new UsageError(`race confirm: '${scenario.name}'${given}: expected to fail is ${has}`);
}
