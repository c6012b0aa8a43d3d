/**
 * struct.ts — what a layout is called: descriptions made from the same constants the code uses.
 *
 * Hot code indexes the heap with `export const` word offsets; a description only serves dumps, panics, tests and
 * reports, and is tree-shaken away where nothing prints. A field is a word offset, or a byte offset of text.
 */

/** Who may write a 64-byte line. `owner`: one CPU; `lock NAME`: the holder; `atomic`: hw/atomics; `const`: boot. */
export type LineRule = 'owner' | 'atomic' | 'const' | `lock ${string}`;

export interface StructDescription {
  readonly name: string;
  /** size in 32-bit words */
  readonly words: number;
  /** writing rule of each 64-byte line, in order; the last one repeats */
  readonly lines: readonly LineRule[];
  /** field name -> word offset */
  readonly fields: Readonly<Record<string, number>>;
}

export function struct(
  name: string,
  words: number,
  lines: readonly LineRule[],
  fields: Readonly<Record<string, number>>,
): StructDescription {
  return { name, words, lines, fields };
}
