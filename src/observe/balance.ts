/**
 * balance.ts — who allocates, and who frees: each type's counts by CPU, which is why the stream has them.
 *
 * Memory that goes from one CPU to another shows as two slots whose differences cancel: what one has allocated more
 * than it freed, the other freed more than it allocated. Only their sum is what is in use.
 */
import type { MemoryType } from './memstat/type.js';

export interface BalanceRow {
  readonly type: string;
  readonly cpu: number;
  readonly allocs: bigint;
  readonly frees: bigint;
  readonly allocated: bigint;
  readonly freed: bigint;
}

/** A row a type and CPU that did something with it. */
export function balance(types: readonly MemoryType[], ncpu: number): BalanceRow[] {
  return types.flatMap((type) =>
    Array.from({ length: ncpu }, (_, cpu) => {
      const { numallocs, numfrees, memalloced, memfreed } = type.percpu(cpu);
      return { type: type.name, cpu, allocs: numallocs, frees: numfrees, allocated: memalloced, freed: memfreed };
    }).filter(({ allocs, frees }) => allocs !== 0n || frees !== 0n),
  );
}
