/** panics.ts — what test/unit/panics.test.ts leaves to others. */
import { A_IPIQ_CRIT, A_NFREE_ZERO, P_CPU_DIED, P_EXCEPTION } from '../../src/base/panics.js';

/** A CPU has to die, or a phase to throw, for these: test/smp provokes them. */
export const ONLY_REAL_WORKERS: readonly number[] = [P_CPU_DIED, P_EXCEPTION];
/** Nothing in the engine asserts these. */
export const UNUSED_ASSERTIONS: readonly number[] = [A_NFREE_ZERO, A_IPIQ_CRIT];
