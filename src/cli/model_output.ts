/** model_output.ts — a sweep of the model, finished or interrupted: its record, its tables, its report. */
import { environment } from '../report/environment.js';
import { modelText } from '../report/model_text.js';
import { RECORD_SCHEMA, type RunRecord } from '../report/record.js';
import { claimsText, type Paint } from '../report/text.js';
import type { ModelRow } from '../lab/model/row.js';
import type { ModelOptions } from '../suite/model.js';
import { judgeModel } from '../suite/model_claims.js';
import { colorsFor } from './colors.js';
import { EXIT_CLAIM, EXIT_INTERRUPTED, EXIT_OK } from './exit.js';
import { fileOf, writeHtml } from './html.js';
import type { ModelFlags } from './model.js';

const colors = colorsFor(process.stdout);
const paint: Paint = { good: colors.green, bad: colors.red, strong: colors.bold, dim: colors.dim };

interface Ended {
  /** of the whole sweep, all shards */
  readonly cells: number;
  readonly complete: boolean;
  readonly command: string;
  readonly o: ModelOptions;
  readonly flags: ModelFlags;
}

/** @returns the exit code */
export async function modelOutput(rows: readonly ModelRow[], ended: Ended): Promise<number> {
  const { cells, complete, command, o, flags } = ended;
  // a part of a sweep decides nothing: its claims are judged when the parts come together
  const claims = o.shard === null ? judgeModel(rows) : [];
  const record: RunRecord = {
    schema: RECORD_SCHEMA,
    environment: environment(1, false),
    config: {
      command, seed: o.seed, cpus: Math.max(...o.cpus), cells, shard: o.shard && `${o.shard.part}/${o.shard.of}`,
      workloads: o.workloads, cpuList: o.cpus, alloc: o.alloc, free: o.free, stats: o.stats, ops: o.ops,
      signalDelays: o.signalDelays, profiles: o.profiles, memory: o.memory, tunables: o.tunables,
    },
    rows: [...rows] as RunRecord['rows'],
    claims,
    complete,
  };
  if (flags.json) process.stdout.write(`${JSON.stringify(record)}\n`);
  else {
    const parts = [modelText(rows, paint), claimsText(claims, paint)];
    if (!complete) parts.push(paint.bad('interrupted: this is what was known'));
    process.stdout.write(`${parts.filter((part) => part !== '').join('\n\n')}\n`);
  }
  const html = fileOf('--html', flags.html);
  if (html !== null) await writeHtml(html, [record]);
  if (!complete) return EXIT_INTERRUPTED;
  return claims.some(({ pass }) => !pass) || rows.some(({ audit }) => audit !== 'ok') ? EXIT_CLAIM : EXIT_OK;
}
