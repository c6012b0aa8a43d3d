/** marked.ts — the marks of marks.ts, and what they were before this execution. */
import { PAGE_SHIFT } from '../../base/param.js';
import { i32 } from '../heap.js';
import { grown } from './grown.js';

const wordMarks = new Uint8Array(i32.length);
const pageMarks = new Uint8Array(i32.length >>> (PAGE_SHIFT - 2));
/** a page is the complement of its number */
let undoWhere = new Int32Array(1 << 12);
let undoMark = new Uint8Array(1 << 12);
let undoLength = 0;

export function wordMark(word: number): number {
  return wordMarks[word];
}

export function pageMark(page: number): number {
  return pageMarks[page];
}

export function markWord(word: number, mark: number): void {
  remember(word, wordMarks[word]);
  wordMarks[word] = mark;
}

export function markPage(page: number, mark: number): void {
  remember(~page, pageMarks[page]);
  pageMarks[page] = mark;
}

function remember(where: number, mark: number): void {
  if (undoLength === undoWhere.length) {
    undoWhere = grown(undoWhere, undoLength * 2);
    undoMark = grown(undoMark, undoLength * 2);
  }
  undoWhere[undoLength] = where;
  undoMark[undoLength++] = mark;
}

export function undoMarks(): void {
  while (undoLength > 0) {
    const where = undoWhere[--undoLength];
    if (where < 0) pageMarks[~where] = undoMark[undoLength];
    else wordMarks[where] = undoMark[undoLength];
  }
}

/** The marks as they are now are what every execution starts with. */
export function keepMarks(): void {
  undoLength = 0;
}

export function clearMarks(): void {
  pageMarks.fill(0);
  wordMarks.fill(0);
  undoLength = 0;
}
