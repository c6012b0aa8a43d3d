/** lines.ts — text of a given width: lines of spans, each with a role that a terminal may colour. Nothing wraps. */

export type Role = 'strong' | 'dim' | 'good' | 'warn' | 'bad' | 'head' | 'focus';

export interface Span {
  readonly text: string;
  readonly role?: Role;
}

export type Line = readonly Span[];

/** What a role looks like. */
export type RolePaint = Readonly<Record<Role, (text: string) => string>>;

export const span = (text: string, role?: Role): Span => (role ? { text, role } : { text });

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const CONTROLS = /[\x00-\x1f\x7f-\x9f]/g;

/** Columns a line takes; every character is one wide here. */
export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + text.length, 0);
}

/** The first `columns` of a line. What a machine's names have in them that is no text becomes a '.'. */
export function cut(line: Line, columns: number): Span[] {
  const result: Span[] = [];
  let room = columns;
  for (const { text, role } of line) {
    const kept = text.slice(0, Math.max(0, room)).replace(CONTROLS, '.');
    if (kept !== '') result.push(span(kept, role));
    room -= kept.length;
  }
  return result;
}

/** As much of a list of items as fits, two blanks between them: what comes first matters most. */
export function fitting(items: readonly Line[], columns: number): Span[] {
  const result: Span[] = [];
  for (const item of items) {
    const gap = result.length === 0 ? [] : [span('  ')];
    if (lineWidth(result) + lineWidth(gap) + lineWidth(item) > columns) {
      // better the beginning of the first than nothing
      return result.length === 0 ? cut(item, columns) : result;
    }
    result.push(...gap, ...item);
  }
  return result;
}

/** `left`, and `right` at the right edge where there is room for it. */
export function leftAndRight(left: Line, right: Line, columns: number): Span[] {
  const gap = columns - lineWidth(left) - lineWidth(right);
  return gap < 2 ? cut(left, columns) : [...left, span(' '.repeat(gap)), ...right];
}

/** A line with its colours, without blanks at its end. */
export function painted(line: Line, paint: RolePaint): string {
  return line.map(({ text, role }) => (role ? paint[role](text) : text)).join('').trimEnd();
}
