/** race.ts — smpalloc race list | show | explore | replay | stress | fuzz ...: races looked for, and shown. */
import type { CAC } from 'cac';
import { KERNELS } from '../lab/scenario.js';
import { UsageError } from './exit.js';
import { didYouMean } from './options.js';
import { type ConfirmFlags, raceConfirm } from './race_confirm.js';
import { raceExplore } from './race_explore.js';
import { type FuzzFlags, raceFuzz } from './race_fuzz.js';
import { type ListFlags, raceList } from './race_list.js';
import { type LitmusFlags, raceLitmus } from './race_litmus.js';
import { type RaceFlags, withFarmFlags, withSubjectFlags } from './race_options.js';
import { raceRegress, type RegressFlags } from './race_regress.js';
import { raceReplay, type ReplayFlags } from './race_replay.js';
import { raceShow } from './race_show.js';
import { raceMerge, raceStress, type StressFlags } from './race_stress.js';
import { STDIN } from './replay.js';
import type { Session } from './session.js';

export const RACE = 'race';
export const RACE_COMMANDS = [
  'list', 'show', 'explore', 'replay', 'stress', 'merge', 'confirm', 'fuzz', 'regress', 'litmus',
] as const;

/** `race explore` is one word to the parser (main.ts). */
export function raceCommands(cli: CAC, session: Session): void {
  explore(cli, session);
  replay(cli, session);
  stress(cli, session);
  withFarmFlags(cli.command('race confirm [...scenarios]', 'Found, shrunk, replayed and stressed: a verdict each'))
    .option('--all', 'every entry of the catalogue')
    .option('--defect <NAME,...>', 'only the failure with these defects')
    .option('--time <TIME>', 'of each stress run (default: 2500ms)')
    .option('--real <N>', 'replays on real workers (default: 100)')
    .option('--update', 'keep what was measured for race show and docs/races/')
    .option('--seed <N>', 'seed of the delays (default: 1)')
    .option('--shard <I/N>', 'a part of the entries, such as 2/4')
    .option('--json', 'a record a line, not text')
    .example('smpalloc race confirm R40')
    .example('smpalloc race confirm --all                     # under 20 minutes on 2 cores')
    .action((names: string[], flags: ConfirmFlags) => session.run(() => raceConfirm(names, flags, session)));
  withFarmFlags(cli.command('race fuzz', 'Random small programs, each explored; one that fails is made smaller'))
    .option('--cpus <N..N>', 'CPUs of a program, 1 to 4 (default: 2..4)')
    .option('--ops <N..N>', 'operations of a program in all (default: 2..5)')
    .option('--seed <N>', 'seed of the programs (default: 1)')
    .option('--duration <TIME>', 'how long (default: 30s)')
    .option('--scenarios <N>', 'how many, instead')
    .option('--free <POLICY,...>', 'remote-free policies, in turn (default: rbatch,rtagged,rsignal2,locked,ipi)')
    .option('--stats <POLICY,...>', 'statistics policies, in turn (default: all but mutex-up)')
    .option('--preempt <K>', 'preemptions at most (default: 2)')
    .option('--executions <N>', 'executions of a program at most (default: 2000)')
    .option('--defect <NAME,...>', 'switch defects on: is it found?')
    .option('--all', 'every access of a counterexample, nothing folded')
    .option('--json', 'a record, not text')
    .example('smpalloc race fuzz --duration 5m                # all policies in turn')
    .example('smpalloc race fuzz --free rsignal2 --defect R40 # would it find this one?')
    .action((flags: FuzzFlags) => session.run(() => raceFuzz(flags, session)));
  withFarmFlags(cli.command('race regress', 'Every known failure once more, with its defect and without'))
    .option('--json', 'a record, not text')
    .option('--update', 'find them anew, and write src/lab/catalogue/tokens.ts')
    .example('smpalloc race regress')
    .action((flags: RegressFlags) => session.run(() => raceRegress(flags, session)));
  cli.command('race litmus [...tests]', 'What threads of this host show of the memory model: SB, MP, LB, IRIW, ...')
    .option('--time <TIME>', 'how long a test is counted (default: 1s)')
    .option('--seed <N>', 'seed of the delays (default: 1)')
    .option('--summary', 'the table of all tests only')
    .option('--json', 'a record, not text')
    .option('--quiet', 'no progress, no remarks')
    .example('smpalloc race litmus                            # all of them: about a minute')
    .example('smpalloc race litmus SB TEAR:edge-i64 --time 5s')
    .action((names: string[], flags: LitmusFlags) => session.run(() => raceLitmus(names, flags, session)));
  list(cli, session);
  cli.command('race [...command]', `Races: ${RACE_COMMANDS.join(', ')}`)
    .example('smpalloc race list                              # what there is')
    .example('smpalloc race show R40                          # what it is, and how it comes about')
    .example('smpalloc race explore R40                       # all schedules with up to 2 preemptions')
    .example('smpalloc race explore R40 --defect R40          # with a fix taken out: shows how it fails')
    .example('smpalloc race explore ./my.scenario.js          # yours (docs/scenarios.md)')
    .action(([command]: string[]) => session.run(async () => unknown(command)));
}

function unknown(command: string | undefined): never {
  const there = `there are ${RACE_COMMANDS.join(', ')}`;
  if (command === undefined) throw new UsageError(`race: a command is missing; ${there} (smpalloc race --help)`);
  throw new UsageError(`race: no command '${command}'; ${didYouMean(command, RACE_COMMANDS)}${there}`);
}

function list(cli: CAC, session: Session): void {
  cli.command('race list [...words]', 'The catalogue: races, how they fail, and the tokens that show them')
    .option('--kernel <NAME>', `where it comes from: ${KERNELS.join(', ')}`)
    .option('--class <NAME>', 'how it fails, such as lost-wakeup')
    .option('--all', 'variants, and programs that have to pass, too')
    .option('--json', 'as JSON: all of it, with stories')
    .option('--quiet', 'no remarks')
    .example('smpalloc race list                              # the races')
    .example('smpalloc race list wakeup                       # those that have to do with it')
    .example('smpalloc race list --kernel FreeBSD --class stats-drift')
    .action((words: string[], flags: ListFlags) => session.run(async () => raceList(words, flags)));
  cli.command('race show [name]', 'A race of the catalogue: its story, how it fails, the fix, what to try')
    .option('--json', 'a record smpalloc-race-show-1, not text')
    .example('smpalloc race show R40')
    .action((name: string | undefined, flags: RaceFlags) => session.run(() => raceShow(name, flags)));
}

function explore(cli: CAC, session: Session): void {
  const command = cli.command('race explore [...scenarios]', 'All schedules up to a bound: names, files, all');
  withFarmFlags(withSubjectFlags(command))
    .option('--preempt <K>', 'preemptions at most (default: 2)')
    .option('--algo <NAME>', 'bound (default), dpor, states, random, pos, pct:DEPTH')
    .option('--executions <N>', 'executions of a pass at most (default: no limit; random, pos, pct: 10000)')
    .option('--seed <N>', 'seed of random, pos, pct and of the estimate (default: 1)')
    .option('--budget <TIME>', 'time a scenario may take (default: 60s)')
    .option('--shard <I/N>', 'a part of the search, such as 2/4: the parts may run on different machines')
    .option('--state <FILE>', 'save the search there when it is interrupted, and go on from there')
    .option('--all-failures', 'go on after a failure: count them, show the first of each class')
    .option('--count-heaps', 'count the distinct memories executions end with')
    .option('--all', 'every access of a counterexample, nothing folded')
    .option('--json', 'a record a line, not text')
    .option('--html <FILE>', 'write a page with the counterexamples')
    .option('--junit <FILE>', 'write JUnit XML')
    .example('smpalloc race explore R40                       # all schedules with up to 2 preemptions')
    .example('smpalloc race explore R40 --defect R40          # with a fix taken out: shows how it fails')
    .example('smpalloc race explore remote-free --algo dpor --budget 10m')
    .example('smpalloc race explore ./my.scenario.js --preempt 3 --state run.json')
    .action((names: string[], flags: RaceFlags) => session.run(() => raceExplore(names, flags, session)));
}

function replay(cli: CAC, session: Session): void {
  const command = cli.command('race replay <scenario> [token]', 'One execution again, by its token');
  withSubjectFlags(command)
    .option('--break <STEP>', 'show the structures before an access of this step')
    .option('--real [N]', 'make the same accesses on real threads, N times (100), and compare')
    .option('--all', 'every access, nothing folded')
    .option('--json', 'a record, not text')
    .option('--html <FILE>', 'write a page with the counterexample')
    .option('--patience <TIME>', 'an operation that does nothing for so long never will (default: 10s)')
    .example('smpalloc race replay R40 b --defect R40')
    .example('smpalloc race replay R40@b --defect R40 --break 12')
    .example('smpalloc race replay R40 b --defect R40 --real 1000')
    .action((name: string, token: string | undefined, flags: ReplayFlags) => (
      session.run(() => raceReplay(name, token === STDIN ? '-' : token, flags, session))
    ));
}

function stress(cli: CAC, session: Session): void {
  const command = cli.command('race stress [...scenarios]', 'Real threads, as many samples as there is time for');
  withSubjectFlags(command)
    .option('--all', 'every scenario that has to pass; with --defect, all that have it')
    .option('--time <TIME>', 'of each scenario and configuration (default: 10s)')
    .option('--budget <TIME>', 'of all of them, instead')
    .option('--widen', 'hold threads up where the explorer says that it matters')
    .option('--no-explore', 'do not ask the explorer: no window')
    .option('--seed <N>', 'seed of the delays (default: 1)')
    .option('--shard <I/N>', 'a part of the scenarios, such as 2/4; race merge adds the parts up')
    .option('--json', 'a record a line, not text')
    .option('--html <FILE>', 'write a page with the tables')
    .option('--patience <TIME>', 'an operation that does nothing for so long never will (default: 10s)')
    .option('--quiet', 'no progress, no warnings')
    .example('smpalloc race stress R39 --defect R39           # two threads lose counts')
    .example('smpalloc race stress R40 --defect R40 --widen   # rare: hold them up where it matters')
    .example('smpalloc race stress --all --budget 30m         # nothing taken out: nothing may fail')
    .action((names: string[], flags: StressFlags) => session.run(() => raceStress(names, flags, session)));
  cli.command('race merge [...files]', 'Runs of race stress --json, added up')
    .option('--json', 'a record a line, not text')
    .option('--html <FILE>', 'write a page with the tables')
    .example('smpalloc race merge shard1.jsonl shard2.jsonl')
    .action((files: string[], flags: StressFlags) => session.run(async () => raceMerge(files, flags, session)));
}
