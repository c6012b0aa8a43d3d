/** race_lesson.ts — a scenario of the catalogue told to somebody who does not know it yet: `race show`. */
import type { Listed, Shown, ShownFailure } from '../lab/farm/show.js';
import { drawColumns, wrap } from './race_columns.js';
import { costText, exploredTexts, stressTable, threadsText } from './race_measured.js';
import { type TraceRow, traceRows } from './race_rows.js';
import { plural, raceLines } from './race_text.js';
import { type Column, integer, table } from './table.js';
import type { Paint } from './text.js';

export interface LessonOptions {
  /** columns of the terminal; default 120 */
  readonly width?: number;
}

const WIDTH = 120;
/** a schedule this short is shown whole: what is folded in a longer one may be all there is to see in it */
const SHORT = 24;
const LABEL = 10;
/** more rows than this are not read: the ends of the schedule are shown, `race replay` has all of it */
const MOST_ROWS = 120;
const END_ROWS = 50;
export const NOTHING = 'nothing of its own';

/** The whole lesson, line by line. */
export function lessonText(x: Shown, paint: Paint, { width = WIDTH }: LessonOptions = {}): string[] {
  const label = (name: string, ...texts: readonly string[]) =>
    texts
      .flatMap((text) => wrap(text, width - LABEL, ''))
      .map((text, n) => `${n === 0 ? paint.dim(name.padEnd(LABEL)) : ' '.repeat(LABEL)}${text}`);
  return [
    ...wrap(`${x.name}: ${x.title}`, width).map(paint.strong),
    ...wrap(whence(x), width).map(paint.dim),
    '',
    ...storyLines(x, width),
    ...label('CPUs', ...x.cpus.map(({ title, operations }) => `${title}: ${operations.join('; ') || NOTHING}`)),
    ...label('machine', ...machineTexts(x)),
    ...x.failures.flatMap((failure) => [...label('fails', failsText(failure)), ...label('with', withText(failure))]),
    ...(x.failures.length === 0 ? label('fails', 'never: it is there to pass') : []),
    ...(x.fix === null ? [] : label('fix', x.fix)),
    ...(x.kind === 'entry' ? label('cost', costText(x.measured)) : []),
    ...(x.kind === 'entry' ? label('threads', threadsText(x)) : []),
    ...x.failures.flatMap((failure) => scheduleLines(x, failure, paint, width)),
    ...measuredLines(x, paint, width),
    ...variantLines(x, paint, width),
    '',
    paint.strong('try'),
    ...tryLines(x).map(([command, why]) => `  ${command}  ${paint.dim(why)}`),
  ];
}

export function whence({ kernel, origin }: Shown): string {
  if (origin === 'generic') return 'of no kernel in particular';
  const said = kernel === null || kernel === 'generic' || origin.includes(kernel);
  return said ? origin : `${kernel}; ${origin}`;
}

function storyLines({ kind, of, story }: Shown, width: number): string[] {
  if (kind === 'program') return ['A program, and no race: all its schedules have to pass.', ''];
  if (kind === 'variant') return [`A variant of ${of}: smpalloc race show ${of} tells the story.`, ''];
  return [...story.flatMap((line) => wrap(line, width - 2)).map((line) => `  ${line}`), ''];
}

/** What of the machine is not the default. */
function machineTexts({ machine, memory }: Shown): string[] {
  const { tunables = {}, ...options } = machine;
  const named = Object.entries({ ...options, ...tunables }).map(([name, value]) => `${name} ${String(value)}`);
  if (memory === 'tso') named.push('store buffers (tso)');
  return named.length === 0 ? [] : [named.join(', ')];
}

const failsText = ({ cls, means }: ShownFailure): string => `${cls}: ${means}`;

/** What has to be switched on for it. */
function withText(failure: ShownFailure): string {
  const { defects } = failure;
  if (defects.length === 0) return 'nothing switched on: as it was committed';
  return `--defect ${defects.join(',')} (${mistakeText(failure)})`;
}

export const mistakeText = ({ what }: ShownFailure): string =>
  what === '' ? 'a mistake of the program, not of the engine' : what;

/** The counterexample in columns; without colours and places in the source it is the one of docs/races/. */
export function scheduleText({ counterexample: c }: ShownFailure, paint: Paint, width: number, lines = true): string[] {
  if (c === null) return [];
  const rows = shortened(traceRows(c, c.steps.length <= SHORT));
  const drawn = lines ? rows : rows.map((row) => ({ ...row, line: row.line.replace(/:\d+$/, '') }));
  const where = c.cpu < 0 ? '' : ` (cpu${c.cpu})`;
  return [
    ...drawColumns(c.columns, drawn, width, paint), ...raceLines(c).slice(0, 2), '',
    `${paint.bad(c.cls.toUpperCase())}: ${c.message}${where}`,
  ];
}

function shortened(rows: readonly TraceRow[]): readonly TraceRow[] {
  if (rows.length <= MOST_ROWS) return rows;
  const left = rows.slice(END_ROWS, -END_ROWS);
  const text = `... ${integer(left.at(-1)!.last - left[0]!.first + 1)} accesses more: race replay shows them`;
  const gap = { ...left[0]!, kind: 'folded' as const, switched: false, marked: false, text, line: '' };
  return [...rows.slice(0, END_ROWS), gap, ...rows.slice(-END_ROWS)];
}

const LEGEND = 'ld, st, racy: plain; the others: atomic; > a switch, ! an interrupt, D a store buffer drains, ' +
  '* a race, = the result';

function scheduleLines(x: Shown, failure: ShownFailure, paint: Paint, width: number): string[] {
  const { counterexample: c, token } = failure;
  if (c === null) return ['', `no token is known yet: smpalloc race explore ${x.name}${flagOf(failure)}`];
  const size = `${plural(c.switches, 'switch', 'switches')}, ${plural(c.preemptions, 'preemption')}`;
  return [
    '', `${paint.strong('the smallest schedule')}, token ${paint.strong(token!)} (${size}), replayed now:`,
    ...wrap(LEGEND, width).map(paint.dim), '', ...scheduleText(failure, paint, width),
    `replay: smpalloc race replay ${x.name} ${token}${flagOf(failure)}`,
  ];
}

export const flagOf = ({ defects }: { defects: readonly string[] }): string =>
  defects.length > 0 ? ` --defect ${defects.join(',')}` : '';

function measuredLines({ kind, measured, environment }: Shown, paint: Paint, width: number): string[] {
  if (kind !== 'entry' || measured === null) return [];
  const where = environment ? `Node ${environment.node}, ${environment.cpu}, ${environment.cores} cores` : '';
  const lines = [...exploredTexts(measured), ...(measured.power ? [measured.power] : [])];
  return [
    '', `${paint.strong('measured')} ${paint.dim(where)}`.trimEnd(),
    ...lines.flatMap((line) => wrap(line, width - 2)).map((line) => `  ${line}`),
    ...(measured.stress ?? []).flatMap((run) => ['', ...stressTable(run).map((line) => `  ${line}`)]),
  ];
}

/** How a variant ends. */
export function variantText({ failures, expect }: Listed): string {
  if (failures.length === 0) return expect;
  const [{ defects, cls }] = failures as [Listed['failures'][number]];
  return defects.length === 0 ? cls : `${cls} with ${defects.join(',')}`;
}

/** What is different from its entry, of that title. */
export function variantTitle(variant: Listed, title: string): string {
  return variant.title.startsWith(`${title}; `) ? variant.title.slice(title.length + 2) : variant.title;
}

function variantLines({ title, variants }: Shown, paint: Paint, width: number): string[] {
  if (variants.length === 0) return [];
  const columns: Column<Listed>[] = [
    { head: '', cell: ({ name }) => `  ${name}`, left: true },
    { head: '', cell: variantText, left: true },
    { head: '', cell: (one) => variantTitle(one, title), left: true },
  ];
  const lines = table(columns, variants).split('\n').slice(1);
  return ['', paint.strong('variants'), ...lines.flatMap((line) => wrap(line, width, '    '))];
}

/** nextCommands as a shell takes them, with the why as a comment. */
export function tryLines(x: Shown): [command: string, why: string][] {
  const commands = nextCommands(x);
  const wide = Math.max(0, ...commands.map(([command]) => command.length));
  return commands.map(([command, why]) => [command.padEnd(wide), `# ${why}`]);
}

/** Commands to go on with, and what each is for. */
export function nextCommands(x: Shown): [command: string, why: string][] {
  const { name, failures, variants, unseen, memory, measured } = x;
  const commands: [string, string][] = [];
  const [failure] = failures;
  const itself = failures.some(({ defects }) => defects.length === 0);
  const add = (command: string, why: string) => commands.push([`smpalloc race ${command}`, why]);
  if (!itself) add(`explore ${name}`, 'all schedules with up to 2 preemptions pass');
  if (failure) {
    const flag = flagOf(failure);
    add(`explore ${name}${flag}`, 'and one of them fails');
    const at = failure.counterexample?.steps.findLast(({ switched }) => switched)?.step;
    if (at) add(`replay ${name} ${failure.token}${flag} --break ${at}`, 'the structures before the last switch');
    const moves = failure.counterexample?.steps.some(({ frame }) => frame === 'move');
    if (failure.token !== null && memory === 'sc' && !moves) {
      add(`replay ${name} ${failure.token}${flag} --real`, 'the same accesses on real threads');
    }
    if (unseen === null) {
      add(`stress ${name}${flag}`, 'real threads, running freely');
      const held = measured?.stress?.some(({ widened }) => widened) === true;
      if (held) add(`stress ${name}${flag} --widen`, 'and held up where it matters');
    }
  }
  const committed = variants.find((one) => one.failures.some(({ defects }) => defects.length === 0));
  if (committed) add(`explore ${committed.name}`, `fails as it stands: ${committed.origin}`);
  return commands;
}
