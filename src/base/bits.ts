/** bits.ts — integer arithmetic on sizes and addresses; 64-bit integers as two words. */

/** Smallest multiple of `align` (a power of two) that is >= `n`. */
export function roundUp(n: number, align: number): number {
  return (n + align - 1) & ~(align - 1);
}

export function isPowerOf2(n: number): boolean {
  return n > 0 && (n & (n - 1)) === 0;
}

/** floor(log2 n) for 1 <= n < 2^32. */
export function log2Floor(n: number): number {
  return 31 - Math.clz32(n);
}

/** ceil(log2 n) for 1 <= n <= 2^31. */
export function log2Ceil(n: number): number {
  return n <= 1 ? 0 : 32 - Math.clz32(n - 1);
}

/** The 64-bit integer of two words. */
export function joined(low: number, high: number): bigint {
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
}

export function lowHalf(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

export function highHalf(value: bigint): number {
  return Number(BigInt.asIntN(32, value >> 32n));
}
