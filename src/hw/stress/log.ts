/** log.ts — what a CPU wrote in the sample under way: the leader puts it back, and hashes what differs. */
import { LOG_ENTRIES } from '../../base/stress.js';

let log = new Int32Array(LOG_ENTRIES);
let length = 0;

/** @param shared this CPU's part of the log */
export function shareLog(shared: Int32Array): void {
  log = shared as typeof log;
  length = 0;
}

/** Entries since it was emptied; those beyond LOG_ENTRIES are not kept. */
export function logLength(): number {
  return length;
}

export function emptyLog(): void {
  length = 0;
}

/** More than fits is counted and not kept: the leader then puts everything back. @param entry LOG_* and where */
export function logged(entry: number): void {
  if (length < LOG_ENTRIES) log[length] = entry;
  length++;
}
