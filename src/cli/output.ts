/** output.ts — a finished (or interrupted) run on the terminal: data on stdout, talk on stderr. */
import { environment } from '../report/environment.js';
import { RECORD_SCHEMA, type RunRecord } from '../report/record.js';
import { claimsText, type Paint, suiteText } from '../report/text.js';
import { judge, type Row } from '../suite/claims.js';
import type { SuiteOptions } from '../suite/suite.js';
import { colorsFor } from './colors.js';
import { EXIT_CLAIM, EXIT_INTERRUPTED, EXIT_OK } from './exit.js';
import { fileOf, writeHtml } from './html.js';
import type { Flags } from './options.js';

const colors = colorsFor(process.stdout);
const paint: Paint = { good: colors.green, bad: colors.red, strong: colors.bold, dim: colors.dim };

/** Prints rows and claims as the flags want them, and writes the page. @returns the exit code */
export async function output(
  rows: readonly Row[], command: string, o: SuiteOptions, flags: Flags,
): Promise<number> {
  const claims = judge(rows);
  const complete = !o.signal.aborted;
  const record: RunRecord = {
    schema: RECORD_SCHEMA,
    environment: environment(o.cpus, o.invariants),
    config: {
      command, seed: o.seed, cpus: o.cpus, memory: o.memory, roundMs: o.roundMs, rounds: o.rounds, ops: o.ops,
      alloc: o.alloc, free: o.free, stats: o.stats, signalDelay: o.signalDelay, tunables: o.tunables,
      profile: o.profile, fail: o.fail,
    },
    rows: [...rows] as RunRecord['rows'],
    claims,
    complete,
  };
  if (flags.json) process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
  else printText(rows, record);
  const html = fileOf('--html', flags.html);
  if (html !== null) await writeHtml(html, [record]);
  if (!flags.quiet) for (const warning of record.environment.warnings) process.stderr.write(`warning: ${warning}\n`);
  if (!complete) return EXIT_INTERRUPTED;
  const failed = claims.some(({ pass }) => !pass) || rows.some(({ audit }) => audit !== 'ok');
  return failed ? EXIT_CLAIM : EXIT_OK;
}

function printText(rows: readonly Row[], { environment: env, claims, complete }: RunRecord): void {
  const where = `smpalloc ${env.smpalloc}, Node ${env.node}, ${env.cpu} (${env.cores} cores), ${env.os}`;
  const parts = [paint.dim(where), suiteText(rows, paint), claimsText(claims as never, paint)];
  if (!complete) parts.push(paint.bad('interrupted: this is what was known'));
  process.stdout.write(`${parts.filter((part) => part !== '').join('\n\n')}\n`);
}
