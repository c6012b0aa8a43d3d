/** race_text.ts — an exploration for people: what was explored and how far, and how each failure comes about. */
import { FAILURE_CLASSES } from '../base/failures.js';
import type { Counterexample, Exploration, Pass } from '../lab/result.js';
import { drawColumns } from './race_columns.js';
import { traceRows } from './race_rows.js';
import { integer } from './table.js';
import type { Paint } from './text.js';

export interface TraceOptions {
  /** columns of the terminal; default 120 */
  readonly width?: number;
  /** every access, nothing folded */
  readonly all?: boolean;
}

const WIDTH = 120;

export function explorationText(x: Exploration, paint: Paint): string[] {
  return [
    `${paint.strong(x.scenario)}: ${x.title || 'no title'} ${paint.dim(`(${x.origin})`)}`,
    paint.dim(circumstances(x).join('; ')),
    ...passLines(x, paint),
    ...outcomeLines(x),
    verdictLine(x, paint),
  ];
}

/** What the numbers depend on. */
export function circumstances(x: Exploration): string[] {
  const { free, stats, mutex, invariants } = x.machine;
  const machine = [free, stats];
  // a futex is what a scenario gets that does not ask
  if (mutex !== 'futex') machine.push(mutex);
  if (invariants) machine.push('invariants');
  const how = [`memory model ${x.memory}`, `scheduling points ${x.points}`, `CAS failures ${x.casFails}`];
  if (x.estimate) {
    const { schedules, error } = x.estimate;
    const size = `about ${schedules.toExponential(1)} ± ${error.toExponential(0)} schedules`;
    how.push(`full tree ${schedules === Number.MAX_VALUE ? 'too large to tell' : size}`);
  }
  const parts = [`machine ${machine.join(', ')}`, how.join(', ')];
  if (x.defects.length > 0) parts.push(`with ${x.defects.length === 1 ? 'defect' : 'defects'} ${x.defects.join(', ')}`);
  return parts;
}

export function passName({ bound }: Pass, x: Exploration): string {
  return bound === null ? x.algorithm : `preemptions <= ${bound}`;
}

export function passResult({ failures, complete }: Pass): string {
  if (failures > 0) return 'FAIL';
  return complete ? 'all pass' : 'none failed; not finished';
}

function passLines(x: Exploration, paint: Paint): string[] {
  const counts = x.passes.map(({ executions }) => integer(executions));
  const wide = Math.max(8, ...counts.map((count) => count.length));
  return x.passes.map((pass, n) => {
    const result = passResult(pass);
    const cut = pass.cut > 0 ? `   (${integer(pass.cut)} cut)` : '';
    const word = pass.failures > 0 ? paint.bad(result) : result;
    return `  ${passName(pass, x)}: ${counts[n]!.padStart(wide)} schedules  ${word}${cut}`;
  });
}

function outcomeLines({ outcomes, heaps, states }: Exploration): string[] {
  const named = Object.entries(outcomes).sort(([, a], [, b]) => b - a);
  const wide = Math.max(0, ...named.map(([name]) => name.length));
  const lines = named.map(([name, count]) => `  ${name.padEnd(wide)}  ${integer(count).padStart(10)}`);
  const distinct = [heaps === null ? '' : plural(heaps, 'final heap'), states === null ? '' : plural(states, 'state')];
  const counted = distinct.filter((text) => text !== '').join(', ');
  return counted === '' ? lines : [...lines, `  ${counted}`];
}

function verdictLine(x: Exploration, paint: Paint): string {
  const verdict = explorationVerdict(x);
  const word = /^(?:PASS|FAIL|NO VERDICT)/.exec(verdict)![0];
  const color = x.verdict === 'fail' ? paint.bad : x.verdict === 'pass' ? paint.good : paint.strong;
  return color(word) + verdict.slice(word.length);
}

export function explorationVerdict(x: Exploration): string {
  const numbers = [`${integer(x.executions)} schedules`, `${x.seconds.toFixed(1)} s`];
  const rate = x.seconds > 0 ? x.executions / x.seconds : 0;
  if (rate > 0) numbers.push(`${integer(Number(rate.toPrecision(2)))} executions/s`);
  const done = numbers.join(', ');
  if (x.verdict === 'fail') return `FAIL ${failedClasses(x)}: ${done}`;
  if (x.verdict === 'budget') return `NO VERDICT, the budget has ended; nothing failed in ${done}`;
  return `PASS ${reach(x)}: ${done}`;
}

export function failedClasses({ counterexamples }: Exploration): string {
  return [...new Set(counterexamples.map(({ cls }) => cls))].join(', ') || 'without a counterexample';
}

/** How far a search that found nothing has looked. */
function reach({ passes, complete }: Exploration): string {
  const bounds = passes.flatMap(({ bound, complete: whole }) => (bound !== null && whole ? [bound] : []));
  if (bounds.length > 0) return `up to ${plural(Math.max(...bounds), 'preemption')}`;
  return complete ? 'all of them' : 'of what was sampled';
}

/** @param scenario its name */
export function counterexampleText(
  c: Counterexample, scenario: string, paint: Paint, options: TraceOptions = {},
): string[] {
  const { width = WIDTH, all = false } = options;
  return [
    `${paint.bad(c.cls.toUpperCase())}: ${c.message}${c.cpu < 0 ? '' : ` (cpu${c.cpu})`}`,
    paint.dim(FAILURE_CLASSES[c.cls]),
    foundText(c),
    '',
    ...drawColumns(c.columns, traceRows(c, all), width, paint),
    ...raceLines(c),
    '',
    `replay: smpalloc race replay ${scenario} ${c.token}`,
  ];
}

export function foundText(c: Counterexample): string {
  const found = `found as schedule #${integer(c.execution)}`;
  const shrunk = `shrunk ${c.shrunkFrom} -> ${plural(c.switches, 'switch', 'switches')}`;
  return `${found}; ${shrunk}, ${plural(c.preemptions, 'preemption')}, ${plural(c.replays, 'replay')}`;
}

/** The two accesses of a race, and what would have ordered them. */
export function raceLines(c: Counterexample): string[] {
  if (!c.race) return [];
  const { first, second, place, missing } = c.race;
  const access = (number: number) => {
    const step = c.steps.find((one) => one.step === number);
    return step ? `step ${number} (cpu${step.cpu} ${step.kind})` : 'an access before this trace';
  };
  return ['', `* ${place}: ${access(first)} and ${access(second)}`, `  ${missing}`];
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${integer(count)} ${count === 1 ? one : many}`;
}
