/** time.ts — hw/time.ts for stepped CPUs: time stands still, or a replay would differ. */

export function nowMs(): number {
  return 0;
}
