/** foot.ts — where a record comes from: the command line that makes it again, the machine, what was asked, warnings. */
import { escapeMarkup as text } from '../markup.js';
import type { RunRecord } from '../record.js';

export function warningsOf({ environment }: RunRecord): readonly string[] {
  return environment.warnings;
}

/** @param id of the record's section */
export function footHtml(record: RunRecord, id: string): string {
  const { environment: env, config } = record;
  const { command, ...asked } = config;
  const lines: [string, string][] = [
    ['command', `smpalloc ${command}`],
    ['when', env.time],
    ['where', `${env.cpu}, ${env.cores} cores, ${env.os}, ${env.arch}`],
    ['software', `smpalloc ${env.smpalloc} (${env.flavour}), Node ${env.node}, V8 ${env.v8}`],
    ['asked', saidOf(asked)],
    ['complete', record.complete ? 'yes' : 'no: it was interrupted'],
    ...warningsOf(record).map((warning): [string, string] => ['warning', warning]),
  ];
  const items = lines.map(([name, value]) => {
    const style = name === 'warning' ? ' class="fail"' : '';
    return `<dt>${name}</dt><dd${style}>${name === 'command' ? `<code>${text(value)}</code>` : text(value)}</dd>`;
  });
  return `<dl id="${id}foot">${items.join('')}</dl>`;
}

function saidOf(asked: Readonly<Record<string, unknown>>): string {
  const silent = (text: string) => ['', 'null', 'false', '{}', 'undefined'].includes(text);
  const pairs = Object.entries(asked).map(([key, value]) => [key, said(value)] as const);
  return pairs.filter(([, text]) => !silent(text)).map(([key, text]) => `${key} ${text}`).join('; ');
}

function said(value: unknown): string {
  if (Array.isArray(value)) return value.map(said).join(',');
  return typeof value === 'string' ? value : String(JSON.stringify(value));
}
