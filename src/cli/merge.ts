/** merge.ts — smpalloc merge RECORD ...: the shards of a sweep, joined to the record one run would have made. */
import type { CAC } from 'cac';
import type { ModelRow } from '../lab/model/row.js';
import type { Named } from '../report/compare.js';
import { type Merged, mergeRecords, ranges } from '../report/merge.js';
import { readRecord } from '../report/record.js';
import { judgeModel } from '../suite/model_claims.js';
import { EXIT_CLAIM, EXIT_OK, UsageError } from './exit.js';
import { STDIN } from './replay.js';
import type { Session } from './session.js';

interface MergeFlags {
  json?: boolean;
  quiet?: boolean;
}

export function mergeCommand(cli: CAC, session: Session): void {
  cli
    .command('merge [...records]', 'Records of model --shard i/n, joined to the one of the whole sweep')
    .option('--json', 'a record: what it prints anyway')
    .option('--quiet', 'no summary, no warnings')
    .example('smpalloc merge shard-*.json > sweep.json')
    .action((files: string[], flags: MergeFlags) => session.run(() => merge(files, flags, session)));
}

async function merge(files: readonly string[], flags: MergeFlags, session: Session): Promise<number> {
  if (files.length === 0) throw new UsageError('merge: a record is missing: those of smpalloc model --shard --json');
  const names = files.map((file) => (file === STDIN ? '-' : file));
  if (names.filter((name) => name === '-').length > 1) {
    throw new UsageError('merge: - and -: standard input is one record only');
  }
  const inputs: Named[] = [];
  for (const name of names) inputs.push({ name, record: await readRecord(name, session.signal) });
  // the claims of a sweep are judged on all of its rows
  const merged = mergeRecords(inputs, (rows) => judgeModel(rows as unknown as ModelRow[]));
  process.stdout.write(`${JSON.stringify(merged.record, null, 2)}\n`);
  if (!flags.quiet) for (const line of told(merged, inputs.length)) process.stderr.write(`${line}\n`);
  const { claims, rows } = merged.record;
  const failed = claims.some(({ pass }) => !pass) || rows.some(({ audit }) => audit !== 'ok');
  return merged.missing.length > 0 || failed ? EXIT_CLAIM : EXIT_OK;
}

function told({ record, missing, warnings }: Merged, files: number): string[] {
  const all = record.rows.length + missing.length;
  const broken = record.rows.filter(({ audit }) => audit !== 'ok').length;
  return [
    ...warnings.map((warning) => `warning: ${warning}`),
    `${files} record${files > 1 ? 's' : ''}: ${record.rows.length} of ${all} cells`,
    ...(missing.length > 0 ? [`missing cells: ${ranges(missing)}`] : []),
    ...(broken > 0 ? [`${broken} cells did not pass their audit`] : []),
  ];
}
