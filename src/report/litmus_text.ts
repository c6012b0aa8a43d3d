/** litmus_text.ts — litmus tests for people: a table a test, and one of all. */
import type { LitmusOutcome, LitmusResult } from '../lab/litmus/outcome.js';
import { type Column, integer, short, table } from './table.js';
import type { Paint } from './text.js';

export function litmusText(result: LitmusResult, paint: Paint): string {
  const { test, access, program, samples, seconds, outcomes } = result;
  const columns: Column<LitmusOutcome>[] = [
    { head: 'RESULT', cell: (row) => row.result, left: true },
    { head: 'SAMPLES', cell: (row) => integer(row.samples) },
    { head: 'FREQ', cell: (row) => share(row.samples, samples) },
    { head: 'EXPECT', cell: (row) => row.expect, left: true },
    { head: 'DESCRIPTION', cell: (row) => row.says, left: true },
  ];
  const shown = [...outcomes].sort((a, b) => a.result.localeCompare(b.result));
  const body = table(columns, shown).split('\n').map((line) => `  ${line}`);
  const rate = `${integer(samples)} samples, ${integer(samples / seconds)}/s`;
  return [
    `${paint.strong(test)}  ${access}  ${paint.dim(rate)}`,
    `  ${paint.dim(program.join('  |  '))}`,
    ...body,
    `  ${paint.dim(power(result))}`,
  ].join('\n');
}

function power({ rarer, threads, samples, asleep }: LitmusResult): string {
  const slept = asleep > 0 ? `; in ${share(asleep, samples)} a thread had to sleep, which is no race` : '';
  if (rarer === null) return `no power claim: the ${threads} threads had no cores of their own${slept}`;
  return `power: what is not here is rarer than ${rarer.toExponential(1)} (95 %)${slept}`;
}

export function litmusSummary(results: readonly LitmusResult[]): string {
  const columns: Column<LitmusResult>[] = [
    { head: 'test', cell: (row) => row.test, left: true },
    { head: 'access', cell: (row) => row.access, left: true },
    { head: 'outcome', cell: (row) => row.witness, left: true },
    { head: 'SC', cell: (row) => row.sc, left: true },
    { head: 'JavaScript', cell: (row) => row.javascript, left: true },
    { head: 'this host showed', cell: ({ seen, samples }) => `${integer(seen)} of ${integer(samples)}` },
    { head: '', cell: ({ seen, samples, rarer }) => share(seen, samples) + (rarer === null ? ' *' : '  ') },
  ];
  const noPower = results.some(({ rarer }) => rarer === null)
    ? '\n* threads without cores of their own: not having seen it means nothing' : '';
  return table(columns, results) + noPower;
}

/** Per cent. */
function share(part: number, of: number): string {
  const percent = of === 0 ? 0 : (part / of) * 100;
  return `${percent > 0 && percent < 0.001 ? '< 0.001' : short(percent)} %`;
}
