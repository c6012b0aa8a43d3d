#!/usr/bin/env node
/** main.ts — smpalloc: the command line. */
import { cac } from 'cac';
import { packageVersion } from '../host/root.js';
import { balanceCommand } from './balance.js';
import { benchCommand } from './bench.js';
import { compareCommand } from './compare.js';
import { ddbCommand } from './ddb.js';
import { EXIT_CODES, RACE_EXIT_CODES, UsageError } from './exit.js';
import { listCommand } from './list.js';
import { modelCommand } from './model.js';
import { mergeCommand } from './merge.js';
import { didYouMean } from './options.js';
import { probeCommand } from './probe.js';
import { RACE, RACE_COMMANDS, raceCommands } from './race.js';
import { replayCommand, STDIN } from './replay.js';
import { reportCommand } from './report.js';
import { Session } from './session.js';
import { sysctlCommand } from './sysctl.js';
import { topCommand } from './top.js';
import { vmstatCommand } from './vmstat.js';

const words = process.argv.slice(2);
const argv = forCac(words);
const session = new Session(words);
const cli = cac('smpalloc');
benchCommand(cli, session);
replayCommand(cli, session);
modelCommand(cli, session);
listCommand(cli, session);
reportCommand(cli, session);
vmstatCommand(cli, session);
balanceCommand(cli, session);
topCommand(cli, session);
sysctlCommand(cli, session);
raceCommands(cli, session);
ddbCommand(cli, session);
compareCommand(cli, session);
mergeCommand(cli, session);
probeCommand(cli, session);
cli.version(packageVersion);
cli
  .example('smpalloc bench                                  # the main job: are the commits right?')
  .example('smpalloc bench pair local --peers               # this allocator against malloc in C')
  .example('smpalloc replay redis-io3 --free ipi,rchunks    # a recorded trace through two machines')
  .example('smpalloc bench ipi --json > run.json            # the record instead of tables')
  .example('smpalloc report run.json > report.html         # a page with plots')
  .example('smpalloc race explore R40 --defect R40          # a race, found and shown');
// examples first: that is what one looks for
cli.help((sections) => {
  const examples = sections
    .filter(({ title }) => title === 'Examples')
    .map(({ body, ...section }) => ({ ...section, body: body.replace(/^/gm, '  ') }));
  const others = sections.slice(1).filter(({ title }) => title !== 'Examples');
  const codes = cli.matchedCommand?.name.startsWith(RACE) ? RACE_EXIT_CODES : EXIT_CODES;
  return [sections[0]!, ...examples, ...others, { title: 'Exit codes', body: `  ${codes}` }];
});

try {
  cli.parse([...process.argv.slice(0, 2), ...argv], { run: false });
  if (cli.options.help !== true && cli.options.version !== true) {
    if (!cli.matchedCommand) throw unknownCommand(argv.find((word) => !word.startsWith('-')));
    checkFlags();
    await cli.runMatchedCommand();
  }
} catch (error) {
  session.fail(error);
}

function unknownCommand(word: string | undefined): UsageError {
  const names = [...new Set(cli.commands.map(({ name }) => name.split(' ')[0]!))];
  if (word === undefined) return new UsageError(`a command is missing: ${names.join(', ')} (smpalloc --help)`);
  return new UsageError(`no command '${word}'; ${didYouMean(word, names)}there are ${names.join(', ')}`);
}

/**
 * Words cac's parser would not understand: `-` is standard input (of race, the default schedule), not an option without
 * a name, `--signal-delay -3` the number -3 (which is wrong), not an option `-3`; and `race explore` is one command.
 */
function forCac(typed: readonly string[]): string[] {
  const [first, second = '', ...rest] = typed;
  const race = first === RACE && (RACE_COMMANDS as readonly string[]).includes(second);
  const result: string[] = [];
  for (const word of race ? [`${first} ${second}`, ...rest] : typed) {
    const before = result.at(-1);
    if (word === '-') result.push(STDIN);
    else if (/^-[\d.]/.test(word) && before && /^--[a-z-]+$/.test(before)) result.push(`${result.pop()}=${word}`);
    else result.push(word);
  }
  return result;
}

/** What cac would accept, or refuse without a hint. */
function checkFlags(): void {
  // cac would take it for 0
  const empty = argv.findIndex((word, n) => word === '' && argv[n - 1]?.startsWith('--'));
  if (empty > 0) throw new UsageError(`${argv[empty - 1]}: a value is missing`);
  const known = [...cli.matchedCommand!.options, ...cli.globalCommand.options].flatMap(({ names }) => names);
  for (const name of Object.keys(cli.options)) {
    if (name === '--' || known.includes(name)) continue;
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const hint = didYouMean(flag, known.map((one) => one.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)));
    const help = `see smpalloc ${cli.matchedCommand!.name} --help`;
    throw new UsageError(`unknown option --${flag}; ${hint.replace(/'(.*)'/, "'--$1'")}${help}`);
  }
}
