/** stress_text.ts — the outcome table of a stress run, as jcstress has it, and how much a clean one says. */
import { forbiddenIn, type StressRecord, type StressRow } from '../lab/stress/record.js';
import { integer, table } from './table.js';
import type { Paint } from './text.js';

export function stressText(record: StressRecord, paint: Paint): string[] {
  const { scenario, title, origin, samples, seconds } = record;
  const rate = seconds > 0 ? `, ${integer(samples / seconds)} a second` : '';
  return [
    `${paint.strong(scenario)}: ${title || 'no title'} ${paint.dim(`(${origin})`)}`,
    paint.dim(stressCircumstances(record).join('; ')),
    `  ${integer(samples)} samples in ${seconds.toFixed(1)} s${rate}`,
    ...rowsText(record, paint).map((line) => `  ${line}`),
    ...powerText(record).map((line) => `  ${line}`),
  ];
}

/** What the numbers depend on. */
export function stressCircumstances({ machine, workers, cores, defects, widened }: StressRecord): string[] {
  const { alloc, free, stats, mutex, invariants } = machine;
  const policies = [alloc, ...(alloc === 'dragonfly' ? [free] : []), stats];
  if (mutex !== 'futex') policies.push(mutex);
  if (invariants) policies.push('invariants');
  const parts = [`machine ${policies.join(', ')}`, `${workers} workers on ${cores} cores`];
  if (defects.length > 0) parts.push(`with ${defects.length === 1 ? 'defect' : 'defects'} ${defects.join(', ')}`);
  if (widened) parts.push('threads held up in the window');
  return parts;
}

function rowsText({ rows, samples }: StressRecord, paint: Paint): string[] {
  return outcomeTable(rows, samples).map((line, n) => {
    const expect = rows[n - 1]?.expect;
    return expect === 'FORBIDDEN' ? paint.bad(line) : expect === 'INTERESTING' ? paint.strong(line) : line;
  });
}

/** As jcstress has it. */
export function outcomeTable(rows: readonly StressRow[], samples: number): string[] {
  return table(
    [
      { head: 'RESULT', cell: (row) => row.result, left: true },
      { head: 'SAMPLES', cell: (row) => integer(row.samples) },
      { head: 'FREQ', cell: (row) => frequency(row.samples, samples) },
      { head: 'EXPECT', cell: (row) => row.expect, left: true },
      { head: 'DESCRIPTION', cell: (row) => row.description, left: true },
    ],
    rows,
  ).split('\n');
}

/** Small ones keep two digits: 0.07 %, 0.00033 %. */
export function frequency(samples: number, of: number): string {
  if (of === 0) return '-';
  const percent = (samples / of) * 100;
  if (samples === 0 || percent >= 0.01) return `${percent.toFixed(2)} %`;
  return `${percent.toFixed(Math.min(9, 1 - Math.floor(Math.log10(percent))))} %`;
}

/** What a run says, and what it does not: the rate a clean one excludes (rule of three), and how wide the window is. */
export function powerText(record: StressRecord): string[] {
  const window = windowText(record);
  return [`power: ${power(record)}`, ...(window === '' ? [] : [window])];
}

function power(record: StressRecord): string {
  const { samples, workers, cores, unseen } = record;
  const seen = forbiddenIn(record);
  if (seen > 0) return `seen in 1 of ${integer(samples / seen)} samples`;
  if (unseen !== '') return `none: ${unseen}`;
  if (workers > cores) return `no claim: ${workers} workers take turns on ${cores} cores`;
  if (samples === 0) return 'no claim: there is no sample';
  return `a failure in 1 of ${integer(samples / 3)} samples or more often would have been seen (95 %)`;
}

function windowText({ known, defects }: StressRecord): string {
  if (!known || known.schedules === 0) return '';
  const on = defects.length === 0 && known.defect !== '' ? `with defect ${known.defect} ` : '';
  const of = `${known.all ? '' : 'the first '}${integer(known.schedules)} schedules`;
  const bound = `with at most ${plural(known.preemptions, 'preemption')}`;
  return `the explorer: ${on}${integer(known.failing)} of ${of} ${bound} fail (${known.cls})`;
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
