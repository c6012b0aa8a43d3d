/**
 * html.ts — pages: --html of what makes a record, and what `smpalloc report` writes. The libraries that draw take 40 ms
 * to load: they are in a bundle of their own, loaded when there is something to draw.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { distUrl } from '../host/root.js';
import type { RunRecord } from '../report/record.js';
import { UsageError } from './exit.js';

export const HTML_OPTION = ['--html <FILE>', 'write a page with the plots and tables (docs/report.md)'] as const;

/** @throws SmpallocError ESMP_INPUT when no page could hold them */
export async function recordsHtml(records: readonly RunRecord[]): Promise<string> {
  const { reportHtml } = (await import(distUrl('report.js').href)) as typeof import('../report/html/report.js');
  return reportHtml(records);
}

/** A page of these records in a file. @throws UsageError when it cannot be written */
export async function writeHtml(path: string, records: readonly RunRecord[]): Promise<void> {
  writeResult('--html', path, await recordsHtml(records));
}

/** Where a result goes: a file's name, or null. Asked before the work: better now than after an hour. */
export function fileOf(flag: string, value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value === 'string' && value !== '') {
    if (existsSync(dirname(value))) return value;
    throw new UsageError(`${flag}: there is no folder '${dirname(value)}'`);
  }
  throw new UsageError(`${flag}: expected one file name`);
}

/** @throws UsageError when it cannot be written */
export function writeResult(flag: string, path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new UsageError(`${flag}: ${path} cannot be written: ${(cause as Error).message}`);
  }
}
