/**
 * heap.ts — physical memory: the views every layer above indexes by name.
 *
 * Rule for all code between hw/ and workload/: `i32[word]`, `i64[dword]`, `f64[dword]`, `u8[byte]` are written just so.
 * A view is never aliased, passed, returned or asked for a method (scripts/check-views.mjs). That keeps them constants
 * for the compiler, and lets the build turn each access into a call for the stepped executions.
 */
import { ticket } from './bind.js';

/** 32-bit words; a word index is a byte address >>> 2 */
export const i32 = new Int32Array(ticket.heap);
/** bytes */
export const u8 = new Uint8Array(ticket.heap);
/** 64-bit counters; index is a byte address >>> 3 */
export const i64 = new BigInt64Array(ticket.heap);
/** counts that never leave 2^53 */
export const f64 = new Float64Array(ticket.heap);
