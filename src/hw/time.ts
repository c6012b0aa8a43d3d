/** time.ts — the host's clock. Never read inside an allocator operation: a replay would differ. */

/** Milliseconds since some start, with fractions. */
export function nowMs(): number {
  return performance.now();
}
