/** mutex.mjs — CPUs that take turns. An area: line 0 the mutex, line 1 what it protects. */
import { engine } from './engine.mjs';

const { gangBarrier, i32, mtxLock, mtxTrylock, mtxUnlock } = engine;

/** Counts `turns` times under the mutex, with plain reads and writes. @returns milliseconds */
export function count({ parties }, area, turns) {
  const mtx = area >>> 2;
  gangBarrier(parties);
  const start = performance.now();
  for (let n = 0; n < turns; n++) {
    mtxLock(mtx);
    i32[mtx + 16]++;
    mtxUnlock(mtx);
  }
  return performance.now() - start;
}

/** Holds the mutex a millisecond at a time, so that the others have to sleep for it. @returns milliseconds */
export function hold({ parties }, area, turns) {
  const mtx = area >>> 2;
  gangBarrier(parties);
  const start = performance.now();
  for (let n = 0; n < turns; n++) {
    mtxLock(mtx);
    i32[mtx + 16]++;
    for (const until = performance.now() + 1; performance.now() < until; );
    mtxUnlock(mtx);
  }
  return performance.now() - start;
}

/** @returns how often the mutex was free for the asking */
export function tryLock({ parties }, area, turns) {
  const mtx = area >>> 2;
  let got = 0;
  gangBarrier(parties);
  for (let n = 0; n < turns; n++) {
    if (!mtxTrylock(mtx)) continue;
    got++;
    i32[mtx + 16]++;
    mtxUnlock(mtx);
  }
  return got;
}
