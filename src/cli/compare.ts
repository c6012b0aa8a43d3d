/** compare.ts — smpalloc compare A B: what has become of the same experiments; exit code 1 when something is worse. */
import type { CAC } from 'cac';
import { type Comparison, compare } from '../report/compare.js';
import { compareText } from '../report/compare_text.js';
import { NOISE } from '../report/compare_time.js';
import { readRecord } from '../report/record.js';
import type { Paint } from '../report/text.js';
import { colorsFor } from './colors.js';
import { EXIT_CLAIM, EXIT_OK, UsageError } from './exit.js';
import { number } from './options.js';
import { STDIN } from './replay.js';
import type { Session } from './session.js';

interface CompareFlags {
  noise?: unknown;
  countNoise?: unknown;
  json?: boolean;
  quiet?: boolean;
}

export function compareCommand(cli: CAC, session: Session): void {
  cli
    .command('compare [...records]', 'Two records, A and B: faster, slower, within noise; counts exactly')
    .option('--noise <PERCENT>', `what is no regression of a time (default: ${NOISE})`)
    .option('--count-noise <PERCENT>', 'by how much a count that is exact may rise (default: 0)')
    .option('--json', 'print the comparison, not tables')
    .option('--quiet', 'no remarks on where the records come from')
    .example('smpalloc compare before.json after.json')
    .example('smpalloc bench pair --json | smpalloc compare before.json - --noise 20')
    .action((files: string[], flags: CompareFlags) => session.run(() => comparison(files, flags, session)));
}

async function comparison(files: readonly string[], flags: CompareFlags, session: Session): Promise<number> {
  const [a, b] = twoOf(files);
  const noise = percent('--noise', flags.noise, NOISE);
  const countNoise = percent('--count-noise', flags.countNoise, 0);
  const read = async (name: string) => ({ name, record: await readRecord(name, session.signal) });
  const result = compare(await read(a), await read(b), { noise, countNoise });
  if (!flags.quiet) for (const line of warnings(result)) process.stderr.write(`warning: ${line}\n`);
  if (result.rows.length === 0) {
    const counts = `${result.onlyA.length} rows of A, ${result.onlyB.length} of B`;
    throw new UsageError(`compare: ${a} and ${b} have no experiment in common: ${counts}`);
  }
  process.stdout.write(flags.json ? `${JSON.stringify(result, null, 2)}\n` : `${compareText(result, paint())}\n`);
  return result.regressions > 0 ? EXIT_CLAIM : EXIT_OK;
}

function twoOf(files: readonly string[]): [string, string] {
  const names = files.map((file) => (file === STDIN ? '-' : file));
  const [a, b] = names;
  if (a === undefined || b === undefined || names.length > 2) {
    const more = names.length > 2 ? '; compare each with the same A' : '';
    throw new UsageError(`compare: ${names.length} records; expected two: smpalloc compare A.json B.json${more}`);
  }
  if (a === '-' && b === '-') throw new UsageError('compare: - and -: standard input is one record only');
  return [a, b];
}

/** '5' or '5%' */
function percent(flag: string, value: unknown, otherwise: number): number {
  if (value === undefined) return otherwise;
  const result = number(flag, typeof value === 'string' ? value.replace(/%$/, '') : value);
  if (result >= 0 && result <= 1000) return result;
  throw new UsageError(`${flag}: ${result} is not usable; expected a percentage from 0 to 1000`);
}

function paint(): Paint {
  const colors = colorsFor(process.stdout);
  return { good: colors.green, bad: colors.red, strong: colors.bold, dim: colors.dim };
}

/** What to know before believing a ratio. */
function warnings({ a, b, differences }: Comparison): string[] {
  const told = (value: unknown) => (value === undefined ? 'not said' : JSON.stringify(value));
  return [
    ...[a, b].filter(({ complete }) => !complete).map(({ name }) => `${name}: of a run that was interrupted`),
    ...differences.map(({ what, a: ours, b: theirs }) => `${what}: ${told(ours)} in A, ${told(theirs)} in B`),
  ];
}
