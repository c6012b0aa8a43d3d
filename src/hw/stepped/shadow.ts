/** shadow.ts — what is known of each word beside its value: who accessed it when, who shares it, whose it is. */
import { clocksReset } from './clocks.js';
import { sharingReset } from './sharing.js';

export { atomicAccess, plainAccess } from './clocks.js';
export {
  clientCheck, clients, isClient, kasanBaseline, kasanChange, kasanCheck, kasanForget, kasanUndo, onPagesFreed,
} from './marks.js';
export { exportSharing, importSharing, learned, noteGone, noteSharing, sharedBy, unlearn } from './sharing.js';

export const checks = { races: true, kasan: true };

/** Starts a new execution for `cpus` CPUs. */
export function shadowReset(cpus: number): void {
  clocksReset(cpus);
  sharingReset();
}
