/**
 * prng.ts — the workloads' random numbers: xorshift32 (Marsaglia 2003), seeded per CPU.
 *
 * A generator is its 32-bit state held in a local variable: `x = xorshift32(x)`. Nothing is shared, so a run
 * with the same seed draws the same numbers on every machine and beside any number of other CPUs.
 */

/** Next state; the state is the random number. Never returns 0 for a non-zero state. */
export function xorshift32(x: number): number {
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  return x;
}

/** First state for stream `stream` (0, 1, ...) of `seed`; the C peers use the same formula. */
export function seedOf(seed: number, stream: number): number {
  const x = (Math.imul(seed, 0x9e3779b9) + Math.imul(stream + 1, 0x85ebca6b)) | 0;
  return x === 0 ? 1 : x;
}
