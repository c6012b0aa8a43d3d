/** report.ts — smpalloc report RECORD ...: records as one page. */
import type { CAC } from 'cac';
import { readRecord } from '../report/record.js';
import { EXIT_OK, UsageError } from './exit.js';
import { fileOf, recordsHtml, writeResult } from './html.js';
import { STDIN } from './replay.js';
import type { Session } from './session.js';

interface ReportFlags {
  output?: unknown;
}

export function reportCommand(cli: CAC, session: Session): void {
  cli
    .command('report [...records]', 'A page of records (--json of bench, replay, model): plots, tables; - is stdin')
    .option('-o, --output <FILE>', 'where the page goes (default: stdout)')
    .example('smpalloc report run.json > report.html')
    .example('smpalloc bench larson --json | smpalloc report - > larson.html')
    .example('smpalloc report delay0.json delay30.json -o both.html')
    .action((paths: string[], flags: ReportFlags) => session.run(() => report(paths, flags)));
}

async function report(paths: readonly string[], flags: ReportFlags): Promise<number> {
  if (paths.length === 0) throw new UsageError('report: a record is missing: what --json of bench or replay printed, or -');
  const output = fileOf('--output', flags.output);
  const records = [];
  for (const path of paths) records.push(await readRecord(path === STDIN ? '-' : path));
  const html = await recordsHtml(records);
  if (output === null) process.stdout.write(html);
  else writeResult('--output', output, html);
  return EXIT_OK;
}
