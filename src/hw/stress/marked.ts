/**
 * marked.ts — the marks of stepped/marks.ts when CPUs are threads: shared, and written plainly by whoever hands a block
 * on. Of two that do so at once one may not be seen; what callers hold is counted as well, by each CPU for itself.
 */
import { LOG_MARK, LOG_PAGE_MARK } from '../../base/stress.js';
import { i32 } from '../heap.js';
import { logged } from './log.js';

const WORDS = i32.length;
let wordMarks = new Uint8Array(0);
let pageMarks = new Uint8Array(0);

/** The marks all CPUs have; from now on they are this one's too. */
export function shareMarks(marks: SharedArrayBuffer): void {
  wordMarks = new Uint8Array(marks, 0, WORDS) as unknown as typeof wordMarks;
  pageMarks = new Uint8Array(marks, WORDS) as unknown as typeof pageMarks;
}

export function wordMark(word: number): number {
  return wordMarks[word];
}

export function pageMark(page: number): number {
  return pageMarks[page];
}

export function markWord(word: number, mark: number): void {
  logged(LOG_MARK | word);
  wordMarks[word] = mark;
}

export function markPage(page: number, mark: number): void {
  logged(LOG_PAGE_MARK | page);
  pageMarks[page] = mark;
}

// the leader puts them back, by everybody's log
export function undoMarks(): void {}
export function keepMarks(): void {}

export function clearMarks(): void {
  wordMarks.fill(0);
  pageMarks.fill(0);
}
