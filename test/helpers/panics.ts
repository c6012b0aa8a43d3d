/** panics.ts — what test/unit/panics.test.ts leaves to others. */
import { P_CPU_DIED, P_EXCEPTION } from '../../src/base/panics.js';

/** A CPU has to die, or a phase to throw, for these: test/smp provokes them. */
export const ONLY_REAL_WORKERS: readonly number[] = [P_CPU_DIED, P_EXCEPTION];
