/**
 * merge.ts — records of a sweep's shards become the record one run would have made: its cells in order, each once.
 *
 * The model counts the same everywhere, so a cell two shards have is the same in both, to the last digit; where it is
 * not, the records are not of one sweep, or something that must not vary did.
 */
import { isDeepStrictEqual } from 'node:util';
import { SmpallocError } from '../base/errors.js';
import type { Named } from './compare.js';
import type { RunRecord } from './record.js';

type ModelRow = Extract<RunRecord['rows'][number], { suite: 'model' }>;
type Judge = (rows: readonly ModelRow[]) => RunRecord['claims'];

export interface Merged {
  readonly record: RunRecord;
  /** numbers of the cells nobody has */
  readonly missing: readonly number[];
  /** where a shard ran elsewhere than the first */
  readonly warnings: readonly string[];
}

/** words of a command line that say who does the work and how, not what it is; with how many values */
const HOW = { '--shard': 1, '--jobs': 1, '--quiet': 0, '--json': 0 };
const ENVIRONMENT = ['smpalloc', 'node', 'flavour'] as const;

/**
 * @param inputs at least one
 * @param judge the claims that all rows together decide
 * @throws SmpallocError ESMP_INPUT naming the files, the cell and the field that do not go together
 */
export function mergeRecords(inputs: readonly Named[], judge: Judge): Merged {
  const [first, ...others] = inputs as [Named, ...Named[]];
  const cells = cellsOf(first);
  for (const other of others) sameConfig(first, other);
  const rows = new Map<number, { name: string; row: ModelRow }>();
  for (const { name, record } of inputs) {
    for (const [n, row] of record.rows.entries()) {
      if (row.suite !== 'model') throw refused(`${name}: rows.${n}: of suite ${row.suite}; expected rows of a model`);
      if (!Number.isInteger(row.cell) || row.cell >= cells) {
        throw refused(`${name}: rows.${n}.cell: ${row.cell}; expected a whole number below ${cells}`);
      }
      const before = rows.get(row.cell);
      if (before) sameRow(before, { name, row });
      else rows.set(row.cell, { name, row });
    }
  }
  const missing = Array.from({ length: cells }, (_, cell) => cell).filter((cell) => !rows.has(cell));
  const inOrder = [...rows.values()].map(({ row }) => row).sort((a, b) => a.cell - b.cell);
  const command = without(first.record.config.command, { '--shard': 1 });
  const config = { ...first.record.config, command, shard: null };
  // a part of a sweep decides nothing
  const claims = missing.length === 0 ? judge(inOrder) : [];
  const record = { ...first.record, config, rows: inOrder, claims, complete: missing.length === 0 };
  return { record, missing, warnings: others.flatMap((other) => elsewhere(first, other)) };
}

/** '0-3, 7' */
export function ranges(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

function cellsOf({ name, record }: Named): number {
  const { cells } = record.config;
  if (typeof cells === 'number' && Number.isInteger(cells) && cells > 0) return cells;
  const said = cells === undefined ? 'missing' : JSON.stringify(cells);
  throw refused(`${name}: config.cells: ${said}; expected the number of cells of a sweep of smpalloc model`);
}

function sameConfig(first: Named, other: Named): void {
  const [a, b] = [asked(first.record), asked(other.record)];
  const field = firstDifference(a, b, 'config');
  if (field === null) return;
  const { path, values } = field;
  throw refused(`${path}: ${values[0]} in ${first.name}, ${values[1]} in ${other.name}: not of one sweep`);
}

function sameRow(before: { name: string; row: ModelRow }, after: { name: string; row: ModelRow }): void {
  const field = firstDifference(before.row, after.row, `cell ${before.row.cell}`);
  if (field === null) return;
  const { path, values } = field;
  throw refused(`${path}: ${values[0]} in ${before.name}, ${values[1]} in ${after.name}: counts have to be the same`);
}

function asked({ config }: RunRecord): Record<string, unknown> {
  const { shard: _, ...rest } = config;
  return { ...rest, command: without(config.command, HOW) };
}

/** A command without some flags and as many values of each. */
function without(command: string, flags: Readonly<Record<string, number>>): string {
  const words = command.split(' ');
  const kept: string[] = [];
  for (let n = 0; n < words.length; n++) {
    const [flag, value] = words[n]!.split('=', 2) as [string, string?];
    if (!Object.hasOwn(flags, flag)) kept.push(words[n]!);
    else if (value === undefined) n += flags[flag]!;
  }
  return kept.join(' ');
}

function elsewhere(first: Named, other: Named): string[] {
  return ENVIRONMENT.flatMap((what) => {
    const [a, b] = [first.record.environment[what], other.record.environment[what]];
    return a === b ? [] : [`${what}: ${a} in ${first.name}, ${b} in ${other.name}; the record says ${a}`];
  });
}

/** The first place where two values differ, and what stands there. */
function firstDifference(a: unknown, b: unknown, path: string): { path: string; values: [string, string] } | null {
  if (isDeepStrictEqual(a, b)) return null;
  if (isObject(a) && isObject(b)) {
    for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const inside = firstDifference(a[name], b[name], `${path}.${name}`);
      if (inside) return inside;
    }
  }
  return { path, values: [said(a), said(b)] };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function said(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 60)}...`;
}

const refused = (message: string): SmpallocError => new SmpallocError('ESMP_INPUT', `merge: ${message}`);
