/** compact.ts — numbers of at most five characters (six below zero), bars, curves of one line: for narrow columns. */

const SUFFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
/** counts below are written as they are */
const LEAST_SHORTENED = 10_000;

/** 0.25 -> 0.25, 9999 -> 9999, 12345 -> 12.3k; '-': not known */
export function compact(value: number | null): string {
  if (value === null) return '-';
  if (value < 0) return `-${compact(-value)}`;
  if (value < 10 && !Number.isInteger(value)) return trimmed(value.toPrecision(2));
  if (Math.round(value) < LEAST_SHORTENED) return String(Math.round(value));
  return scaled(value, 1000, SUFFIXES);
}

/** 512 -> 512, 1536 -> 1.50K, 268435456 -> 256M */
export function compactBytes(bytes: number | null): string {
  if (bytes === null) return '-';
  if (bytes < 0) return `-${compactBytes(-bytes)}`;
  if (Math.round(bytes) < 1024) return String(Math.round(bytes));
  return scaled(bytes, 1024, SUFFIXES.map((suffix) => suffix.toUpperCase()));
}

/** Three digits and a suffix. */
function scaled(value: number, base: number, suffixes: readonly string[]): string {
  let power = 0;
  let rest = value;
  while (Math.round(rest) >= 1000 && power < suffixes.length - 1) {
    rest /= base;
    power++;
  }
  return `${digits(rest)}${suffixes[power]}`;
}

function digits(value: number): string {
  const decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return value.toFixed(decimals);
}

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** 0.5 -> 50 %; '-': not known */
export function percent(part: number | null): string {
  return part === null || !Number.isFinite(part) ? '-' : `${Math.round(part * 100)}%`;
}

/** Seconds as 0:07, 12:34, 1:02:03. */
export function clock(seconds: number): string {
  const two = (value: number) => String(Math.trunc(value)).padStart(2, '0');
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.trunc(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** What there is to draw with: what UTF-8 has, what every terminal has; plain is for files, and draws nothing. */
export type Look = 'unicode' | 'ascii' | 'plain';

/** A bar of `cells` characters. @param part 0 to 1 */
export function bar(part: number, cells: number, look: Look): string {
  if (look === 'plain') return '';
  const [full, empty] = look === 'unicode' ? ['█', '░'] : ['#', '.'];
  const filled = Math.round(Math.min(1, Math.max(0, part)) * cells);
  return full.repeat(filled) + empty.repeat(cells - filled);
}

/** A curve of one line, from 0 to its largest value. */
export function curve(values: readonly number[], look: Look): string {
  if (look === 'plain') return '';
  const steps = look === 'unicode' ? '▁▂▃▄▅▆▇█' : '_.-:=+*#';
  const most = Math.max(...values, 0);
  return values.map((value) => steps[most === 0 ? 0 : Math.round((value / most) * (steps.length - 1))]).join('');
}
