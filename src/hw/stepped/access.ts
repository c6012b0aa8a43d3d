/**
 * access.ts — everything a stepped CPU does to memory: what the build's rewriting calls, and the files that
 * replace hw/'s, and what the lab asks. hw/baton/access.ts has the same names for a worker that waits for its turn.
 */
import { MARK } from '../../base/access.js';
import { curcpu } from './curcpu.js';
import { KASAN_PAGE_FREE } from '../kasan.js';
import { enabledMask } from './entity.js';
import { length, me, pos } from './log.js';
import { checks, kasanChange, noteGone } from './shadow.js';
import { after, before, live, replay } from './step.js';
import { bufferCount } from './storebuffer.js';

export {
  atomicAdd, atomicAnd, atomicCas, atomicLoad, atomicOr, atomicStore, atomicXchg,
} from './atomic.js';
export { casBudget, hooks, options, type Watcher } from './hooks.js';
export { lengthOf } from './log.js';
export { movesHash, movesReset } from './moves.js';
export { ld32, ld8, racy32, st32, st8 } from './plain.js';
export {
  caughtStop, clientAccess, enter, finishOp, goLive, isLastChance, leave, logHash, ofItself, stopHere,
} from './step.js';
export { bufferCount, bufferHash, drainOldest, oldestStore } from './storebuffer.js';
export { futexNotify, futexWait, interruptLook, maskChange, resetDirectTurns, waitTurn } from './waits.js';
export { ld64, ldf, racyBig, st64, stf } from './wide.js';

/** Bit e set: entity e may take the next step. */
export function enabled(): number {
  return enabledMask(bufferCount);
}

/** Memory changes hands (hw/kasan). */
export function mark(address: number, bytes: number, code: number): void {
  if (pos < length) {
    replay(MARK, address >>> 2);
    return;
  }
  if (live) before(MARK, address >>> 2, code);
  if (checks.kasan) kasanChange(address, bytes, code, curcpu);
  if (live && code === KASAN_PAGE_FREE) noteGone(address, bytes, me);
  // who watches learns the size from the old value
  if (live) after(MARK, address >>> 2, code, bytes, code);
}
