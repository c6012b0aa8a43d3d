/** race_list.ts — smpalloc race list: the catalogue, or what of it a kernel, a class or a word picks. */
import { FAILURE_CLASSES, type FailureClass } from '../base/failures.js';
import { catalogueList, type Listed } from '../lab/farm/show.js';
import { KERNELS } from '../lab/scenario.js';
import { plural } from '../report/race_text.js';
import { table } from '../report/table.js';
import { EXIT_OK, UsageError } from './exit.js';
import { didYouMean } from './options.js';
import { paint, widthOf } from './race_explore.js';
import { choice, type RaceFlags } from './race_options.js';

export interface ListFlags extends RaceFlags {
  kernel?: unknown;
  class?: unknown;
}

/** @param words all of them have to be in it */
export function raceList(words: readonly string[], flags: ListFlags): number {
  const everything = catalogueList();
  const listed = everything.filter(filterOf(words, flags, everything));
  if (listed.length === 0) throw nothing(words, flags, everything);
  if (flags.json) {
    const record = { scenarios: listed, classes: FAILURE_CLASSES, kernels: KERNELS };
    process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
    return EXIT_OK;
  }
  // what is asked for by a word and is no entry would be missed
  const entries = listed.filter(({ kind }) => kind === 'entry');
  const all = flags.all === true || entries.length === 0;
  process.stdout.write(`${text(all ? listed : entries, everything)}\n`);
  if (!flags.quiet) process.stderr.write(`${remark(all ? listed : entries, everything)}\n`);
  return EXIT_OK;
}

type Filter = (one: Listed) => boolean;

function filterOf(words: readonly string[], flags: ListFlags, everything: readonly Listed[]): Filter {
  const kernel = flags.kernel === undefined ? null : choice('--kernel', cased(flags.kernel), KERNELS);
  const cls = flags.class === undefined ? null : choice('--class', flags.class, CLASSES);
  const wanted = words.map((word) => word.toLowerCase());
  const says = (one: Listed) => {
    const said = [one.name, one.title, one.kernel, one.origin, ...one.story, one.fix, one.unseen].join(' ');
    return wanted.every((word) => said.toLowerCase().includes(word));
  };
  return (one) => {
    if (kernel !== null && one.kernel !== kernel) return false;
    if (cls !== null && !one.failures.some((failure) => failure.cls === cls)) return false;
    // variants come with the entry that tells their story
    const entry = everything.find(({ name }) => name === one.of);
    return says(one) || (entry !== undefined && says(entry));
  };
}

const CLASSES = Object.keys(FAILURE_CLASSES) as FailureClass[];

/** 'freebsd' is 'FreeBSD'. */
function cased(kernel: unknown): unknown {
  return KERNELS.find((name) => name.toLowerCase() === String(kernel).toLowerCase()) ?? kernel;
}

function nothing(words: readonly string[], flags: ListFlags, everything: readonly Listed[]): UsageError {
  const asked = [
    ...words.map((word) => `'${word}'`),
    ...(flags.kernel === undefined ? [] : [`--kernel ${flags.kernel}`]),
    ...(flags.class === undefined ? [] : [`--class ${flags.class}`]),
  ];
  const near = words.length === 1 ? didYouMean(words[0]!, everything.map(({ name }) => name)) : '';
  const kernels = counted(everything.flatMap(({ kind, kernel }) => (kind === 'entry' && kernel ? [kernel] : [])));
  const classes = counted(everything.flatMap(({ kind, failures }) => (
    kind === 'entry' ? failures.map(({ cls }) => cls) : []
  )));
  return new UsageError(
    `race list: nothing is ${asked.join(' and ')}; ${near}there are kernels ${kernels}; classes ${classes}`,
  );
}

/** 'a (2), b (1)', the most first. */
function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} (${count})`).join(', ');
}

/** A line a failure there is, one for those that only pass; variants stand below their entry, programs at the end. */
function text(listed: readonly Listed[], everything: readonly Listed[]): string {
  const groups = [
    ...listed.filter(({ kind }) => kind === 'entry'),
    // of a variant that was picked alone
    ...listed.filter(({ kind, of }) => kind === 'variant' && !listed.some(({ name }) => name === of)),
    ...listed.filter(({ kind }) => kind === 'program'),
  ];
  const rows = groups.flatMap((one) => [
    ...rowsOf(one, ''), ...listed.filter(({ of }) => of === one.name).flatMap((variant) => rowsOf(variant, '  ')),
  ]);
  const shown = HEADS.filter((_, n) => n !== VARIANTS || listed.length < everything.length);
  const column = (head: string) => ({
    head, cell: (row: string[]) => row[HEADS.indexOf(head)]!, left: head !== 'CPUs',
  });
  const [head, ...lines] = table(shown.map(column), rows).split('\n').map(cut);
  return [paint.strong(head!), ...lines].join('\n');
}

const HEADS = ['race', 'kernel', 'CPUs', 'class', '--defect', 'token', 'variants', 'what'];
const VARIANTS = HEADS.indexOf('variants');

function rowsOf(one: Listed, indent: string): string[][] {
  const first = [`${indent}${one.name}`, one.of === null ? (one.kernel ?? '-') : '', String(one.cpus)];
  const last = [one.variants.length > 0 ? `+${one.variants.length}` : '', one.title];
  if (one.failures.length === 0) return [[...first, 'pass', '-', '-', ...last]];
  return one.failures.map(({ defects, cls, token }, n) => [
    ...(n === 0 ? first : ['', '', '']), cls, defects.join(',') || '-', token ?? '?', ...(n === 0 ? last : ['', '']),
  ]);
}

/** To a terminal's width: the end of what it is about is no loss. */
function cut(line: string): string {
  const { isTTY } = process.stdout;
  const width = widthOf(process.stdout);
  return isTTY && line.length > width ? `${line.slice(0, width - 1)}…` : line;
}

function remark(shown: readonly Listed[], everything: readonly Listed[]): string {
  const count = (of: readonly Listed[], kind: Listed['kind']) => of.filter((one) => one.kind === kind).length;
  const [entries, all] = [count(shown, 'entry'), count(everything, 'entry')];
  const races = entries === all ? plural(all, 'race') : `${entries} of ${plural(all, 'race')}`;
  const others = [plural(count(shown, 'variant'), 'variant'), plural(count(shown, 'program'), 'program')];
  const more = shown.every(({ kind }) => kind === 'entry') ? '--all adds variants and programs' : others.join(', ');
  return `${races}; ${more}; smpalloc race show NAME tells the story`;
}
