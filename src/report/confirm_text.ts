/** confirm_text.ts — confirmations: a verdict line each, and a table of them all. */
import { type Confirmation, stressed } from '../lab/confirm.js';
import { frequency } from './stress_text.js';
import { type Column, integer, table } from './table.js';
import type { Paint } from './text.js';

export function confirmLine(c: Confirmation, paint: Paint): string {
  const verdict = c.problem === '' ? paint.good('CONFIRMED') : paint.bad(`NOT CONFIRMED: ${c.problem}`);
  const defect = c.defects.length > 0 ? ` with ${c.defects.join(', ')}` : '';
  const parts = [foundText(c), cleanText(c), replayText(c), `stress ${stressText(c, false)}`];
  if (stressed(c, true)) parts.push(`held up ${stressText(c, true)}`);
  const text = parts.filter((part) => part !== '').join('; ');
  return `${paint.strong(c.scenario)}${defect}: ${verdict}  ${text}`;
}

function foundText({ found, cls }: Confirmation): string {
  if (!found) return '';
  const preemptions = `${found.preemptions} preemption${found.preemptions === 1 ? '' : 's'}`;
  return `${cls} in schedule ${integer(found.execution)} (${preemptions}, ${found.token || 'no token'})`;
}

function cleanText({ clean }: Confirmation): string {
  if (!clean) return '';
  const all = clean.complete ? 'all' : 'not all of';
  return `without it ${all} ${integer(clean.schedules)} schedules pass`;
}

function replayText({ replayed }: Confirmation): string {
  if (!replayed) return 'no replay on real workers';
  return `${replayed.agreed} of ${replayed.runs} replays on real workers agree`;
}

function stressText(c: Confirmation, widened: boolean): string {
  const run = stressed(c, widened);
  if (!run) return '-';
  return `${integer(run.forbidden)} of ${integer(run.samples)} (${frequency(run.forbidden, run.samples)})`;
}

export function confirmTable(all: readonly Confirmation[], paint: Paint): string {
  const share = (c: Confirmation, widened: boolean): string => {
    const run = stressed(c, widened);
    return run ? frequency(run.forbidden, run.samples) : '-';
  };
  const columns: Column<Confirmation>[] = [
    { head: 'race', cell: (c) => c.scenario, left: true },
    { head: 'defect', cell: (c) => c.defects.join(',') || '-', left: true },
    { head: 'class', cell: (c) => c.cls, left: true },
    { head: 'token', cell: (c) => c.found?.token || '-', left: true },
    { head: 'found in', cell: (c) => (c.found ? integer(c.found.execution) : '-') },
    { head: 'clean', cell: (c) => (c.clean ? integer(c.clean.schedules) : '-') },
    { head: 'replays', cell: (c) => (c.replayed ? `${c.replayed.agreed}/${c.replayed.runs}` : '-') },
    { head: 'stress', cell: (c) => share(c, false) },
    { head: 'held up', cell: (c) => share(c, true) },
    { head: 'verdict', cell: (c) => (c.problem === '' ? 'CONFIRMED' : c.problem), left: true },
  ];
  const confirmed = all.filter(({ problem }) => problem === '').length;
  const seen = all.filter((c) => [false, true].some((widened) => (stressed(c, widened)?.forbidden ?? 0) > 0)).length;
  const count = `${confirmed} of ${all.length} confirmed, ${seen} seen on real threads`;
  return `${table(columns, all)}\n\n${confirmed === all.length ? paint.good(count) : paint.bad(count)}`;
}
