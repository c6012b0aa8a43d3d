/** atomics.ts — hw/atomics.ts for stepped CPUs: the same names, each access asks the scheduler. */
export {
  atomicAdd as add, atomicAnd as and, atomicCas as cas, atomicLoad as load, atomicOr as or, atomicStore as store,
  atomicXchg as xchg, futexNotify as notify, futexWait as wait, ldf as racyDouble, racy32 as racy,
  racyBig as racy64,
} from './access.js';

/** Between phases a stepped CPU has no event loop. */
export function waitAsync(_word: number, _expected: number, _ms: number): Promise<unknown> | undefined {
  throw new Error('waitAsync: a stepped CPU does not wait in an event loop');
}
