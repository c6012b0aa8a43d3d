/** race_measured.ts — the numbers of a race in words: what the fix costs, whether real threads show it. */
import type { MeasuredEntry, StressRun } from '../lab/catalogue/measured.js';
import type { Shown } from '../lab/farm/show.js';
import { plural } from './race_text.js';
import { outcomeTable } from './stress_text.js';
import { integer, short } from './table.js';

const NOT_MEASURED = 'not measured yet';

/** What the fix costs. */
export function costText(measured: MeasuredEntry | null): string {
  const cost = measured?.cost;
  if (cost === null) return 'not to be counted: without the fix it fails even one CPU after the other';
  if (!cost) return NOT_MEASURED;
  const signed = (count: number, one: string, many?: string) =>
    `${count < 0 ? '-' : '+'}${plural(Math.abs(count), one, many)}`;
  const { what, locked, accesses, messages } = cost;
  const counts = [signed(locked, 'locked operation'), signed(accesses, 'access', 'accesses')];
  if (messages !== 0) counts.push(signed(messages, 'message'));
  return `${what}: ${counts.join(', ')}`;
}

/** Whether real threads show it, and if not, why. */
export function threadsText({ seen, unseen, measured }: Pick<Shown, 'seen' | 'unseen' | 'measured'>): string {
  const runs = measured?.stress ?? [];
  const bad = runs.flatMap(({ rows }) => rows).filter(({ expect }) => expect !== 'ACCEPTABLE');
  const count = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0);
  const samples = count(runs.map((run) => run.samples));
  const seconds = count(runs.map((run) => run.seconds));
  const many = `${integer(samples)} samples, ${short(seconds)} s`;
  if (seen) return `real threads show it: ${integer(count(bad.map((row) => row.samples)))} of ${many}`;
  if (unseen !== null) return `real threads do not show it. ${unseen}`;
  return seen === null ? NOT_MEASURED : `real threads have not shown it: ${many}`;
}

/** Exploration and replay, in sentences. */
export function exploredTexts({ explored, replayed }: MeasuredEntry): string[] {
  const texts: string[] = [];
  if (explored?.found) {
    const { execution, preemptions, seconds } = explored.found;
    const how = `execution ${integer(execution)}, with ${plural(preemptions, 'preemption')}, after ${short(seconds)} s`;
    texts.push(`with the defect it is found in ${how}`);
  }
  if (explored?.clean) {
    const { schedules, preemptions, seconds, complete } = explored.clean;
    const size = `${plural(schedules, 'schedule')} with at most ${plural(preemptions, 'preemption')}`;
    texts.push(`without it ${complete ? 'all' : 'the first'} ${size} pass, ${short(seconds)} s`);
  }
  if (replayed) texts.push(`the token on real threads: ${replayed.agreed} of ${plural(replayed.runs, 'run')} agreed`);
  return texts;
}

/** What came out of a run on real threads. */
export function stressTable({ seconds, samples, widened, rows }: StressRun): string[] {
  const how = `${integer(samples)} samples in ${short(seconds)} s${widened ? ', threads held up in the window' : ''}`;
  return [how, ...outcomeTable(rows, samples)];
}
