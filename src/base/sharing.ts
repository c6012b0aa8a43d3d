/** sharing.ts — who uses a word of memory, as one integer, and what that means for the scheduler. */

/** bit e: entity e touched the word; the sign: somebody wrote it */
export const WRITTEN = 1 << 31;

export const PRIVATE = 0;
/** more than one entity of one CPU */
export const SHARED_ON_CPU = 1;
/** more than one CPU */
export const SHARED = 2;

/** @param cpuOf CPU of each entity @returns PRIVATE, too, for what nobody writes */
export function classOfUsers(users: number, cpuOf: ArrayLike<number>): number {
  const entities = users & ~WRITTEN;
  if (users >= 0 || (entities & (entities - 1)) === 0) return PRIVATE;
  const cpu = cpuOf[31 - Math.clz32(entities)];
  for (let rest = entities; rest !== 0; rest &= rest - 1) {
    if (cpuOf[31 - Math.clz32(rest & -rest)] !== cpu) return SHARED;
  }
  return SHARED_ON_CPU;
}
