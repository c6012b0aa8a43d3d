/**
 * race_rows.ts — the steps of a counterexample as rows of a table with a column a CPU, before anybody draws them.
 * Operations begin with a row of their name; what says nothing about the failure is one row (race_folds.ts).
 */
import type { Counterexample, Step } from '../lab/result.js';
import { type Fold, findFolds } from './race_folds.js';
import { Places, stepText } from './race_words.js';

export interface TraceRow {
  /** steps it stands for; an operation's name stands for none, and has those of the step that follows */
  readonly first: number;
  readonly last: number;
  readonly kind: 'operation' | 'step' | 'folded';
  readonly column: number;
  /** somebody else made the step before */
  readonly switched: boolean;
  /** one of the two accesses that race */
  readonly marked: boolean;
  readonly text: string;
  readonly line: string;
}

/** @param all nothing is folded */
export function traceRows(c: Counterexample, all: boolean): TraceRow[] {
  const begins = operationBegins(c.steps);
  const folds = all ? new Map<number, Fold>() : findFolds(c, begins);
  const places = new Places(c.steps);
  const rows: TraceRow[] = [];
  for (let n = 0; n < c.steps.length; n++) {
    const step = c.steps[n]!;
    if (begins[n]) rows.push(operationRow(c, step));
    const fold = folds.get(n);
    const last = c.steps[n + (fold?.count ?? 1) - 1]!;
    const said = fold ? `... ${fold.text}` : stepText(step, places);
    rows.push({
      ...where(c, step),
      last: last.step,
      kind: fold ? 'folded' : 'step',
      marked: !fold && (step.step === c.race?.first || step.step === c.race?.second),
      text: `${FRAME_MARK[step.frame]}${said}${last.returned === undefined ? '' : `  = ${last.returned}`}`,
      line: fold ? '' : step.line,
    });
    if (fold) n += fold.count - 1;
  }
  return rows;
}

const FRAME_MARK = { thread: '', interrupt: '! ', drain: 'D ', move: '' } as const;

function operationRow(c: Counterexample, step: Step): TraceRow {
  const text = `${FRAME_MARK[step.frame]}${step.op}`;
  return { ...where(c, step), kind: 'operation', switched: false, marked: false, text, line: '' };
}

function where(c: Counterexample, step: Step) {
  return { first: step.step, last: step.step, column: columnOf(c, step), switched: step.switched };
}

/** A thread has its own column, on whatever CPU it is; interrupts and store buffers stand with their CPU. */
function columnOf({ columns }: Counterexample, { frame, entity, cpu }: Step): number {
  if ((frame === 'thread' || frame === 'move') && entity < columns.length) return entity;
  const isCpu = (title: string) => title === `cpu${cpu}` || title.startsWith(`cpu${cpu} `);
  return Math.max(0, columns.findIndex(isCpu));
}

/** Per step: is it the first of an operation, its entity having done something else before, or returned? */
function operationBegins(steps: readonly Step[]): boolean[] {
  const last = new Map<number, Step>();
  return steps.map((step) => {
    if (step.frame === 'drain') return false;
    const before = last.get(step.entity);
    last.set(step.entity, step);
    return before === undefined || before.op !== step.op || before.returned !== undefined;
  });
}
