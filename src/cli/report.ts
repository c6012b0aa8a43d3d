/** report.ts — smpalloc report RECORD ...: records as one page. */
import { readFile } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import { text as streamText } from 'node:stream/consumers';
import type { CAC } from 'cac';
import { SmpallocError } from '../base/errors.js';
import { raceHtml } from '../report/race_html.js';
import { parseExploration, RACE_SCHEMA } from '../report/race_record.js';
import { parseRecord } from '../report/record.js';
import { stressHtml } from '../report/stress_html.js';
import { parseStress, STRESS_SCHEMA } from '../report/stress_record.js';
import { EXIT_OK, UsageError } from './exit.js';
import { fileOf, recordsHtml, writeResult } from './html.js';
import { STDIN } from './replay.js';
import type { Session } from './session.js';

interface ReportFlags {
  output?: unknown;
}

interface Input {
  /** as it was typed */
  readonly name: string;
  readonly text: string;
}

export function reportCommand(cli: CAC, session: Session): void {
  cli
    .command('report [...records]', 'A page of plots and tables from what --json printed; - is stdin')
    .option('-o, --output <FILE>', 'where the page goes (default: stdout)')
    .example('smpalloc report run.json > report.html')
    .example('smpalloc bench larson --json | smpalloc report - > larson.html')
    .example('smpalloc report delay0.json delay30.json -o both.html')
    .action((paths: string[], flags: ReportFlags) => session.run(() => report(paths, flags, session)));
}

async function report(paths: readonly string[], flags: ReportFlags, session: Session): Promise<number> {
  if (paths.length === 0) throw new UsageError('report: a record is missing: what --json printed, or - for stdin');
  const output = fileOf('--output', flags.output);
  const inputs: Input[] = [];
  for (const path of paths) inputs.push(await read(path, session.signal));
  const html = await pageOf(inputs, `smpalloc ${session.command}`);
  if (output === null) process.stdout.write(html);
  else writeResult('--output', output, html);
  return EXIT_OK;
}

/** A page holds records of one kind: runs, an exploration, or stress runs. */
async function pageOf(inputs: readonly Input[], command: string): Promise<string> {
  const kinds = new Set(inputs.map(kindOf));
  if (kinds.size > 1) {
    throw new UsageError(`report: a page takes records of one kind; these are ${[...kinds].join(' and ')}`);
  }
  const [kind] = kinds;
  if (kind === STRESS_SCHEMA) return stressHtml(inputs.flatMap(({ text, name }) => parseStress(text, name)), command);
  if (kind !== RACE_SCHEMA) return recordsHtml(inputs.map(({ text, name }) => parseRecord(text, name)));
  const explored = inputs.flatMap(({ text, name }) => linesOf(text).map((line) => parseExploration(line, name)));
  const [x] = explored;
  if (x && explored.length === 1) return raceHtml(x, command);
  throw new UsageError(`report: ${explored.length} explorations were given; their page takes one`);
}

/** The schema its first line names; what names none of ours is said to be no record by whoever reads those. */
function kindOf({ text }: Input): string {
  const [first = ''] = linesOf(text);
  return [RACE_SCHEMA, STRESS_SCHEMA].find((schema) => first.startsWith(`{"schema":"${schema}"`)) ?? 'smpalloc/1';
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

async function read(path: string, signal: AbortSignal): Promise<Input> {
  // a pipe that another program made cannot be opened as a file
  if (path === STDIN) return { name: 'stdin', text: await streamText(addAbortSignal(signal, process.stdin)) };
  try {
    return { name: path, text: await readFile(path, 'utf8') };
  } catch (cause) {
    throw new SmpallocError('ESMP_INPUT', `${path}: ${(cause as Error).message}`, { cause });
  }
}
