/** grown.ts — typed arrays that have become too small. */

/** @returns a longer array of the same kind that begins with what is in this one */
export function grown<T extends { readonly length: number; set(from: T): void }>(from: T, length: number): T {
  const to = new (from.constructor as new (length: number) => T)(length);
  to.set(from);
  return to;
}
