/** hash.ts — a memory as a number: each word that differs is mixed with its place, and all are put together by xor. */

/** A word's share: of its place and its value. */
export function mix(word: number, value: number): number {
  let h = Math.imul(word ^ 0x9e3779b1, 0xc2b2ae3d) ^ Math.imul(value, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return h ^ (h >>> 15);
}

/** The second half of a hash: no linear function of the first, so that sums of the two do not collide together. */
export function spread(h: number): number {
  const x = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return x ^ (x >>> 13);
}
