/**
 * marks.ts — whose memory is it (KASAN): marked by hw/kasan where it changes hands, looked at at every access.
 *
 * A mark a page, and a mark a word for chunks; the first of a block says that a block begins there.
 */
import type { FailureClass } from '../../base/failures.js';
import { PAGE_SHIFT } from '../../base/param.js';
import { KASAN_ALLOCATOR, KASAN_CLIENT, KASAN_FREED, KASAN_PAGE_FREE } from '../kasan.js';
import { i32 } from '../heap.js';
import { SB_FIRST_PAGE } from '../superblock.layout.js';
import { execution, fail } from './failure.js';
import { HEAP_WORDS } from './journal.js';
import { clearMarks, keepMarks, markPage, markWord, pageMark, undoMarks, wordMark } from './marked.js';

/** with a code: a block begins here */
const BEGINS = 0x10;
/** of a chunk, so many words are marked: callers in scenarios touch the first few */
const MARKED_WORDS = 16;
const FIRST_WORD = i32[SB_FIRST_PAGE] << (PAGE_SHIFT - 2);

/** who wants to know that pages went back to the page allocator: address, bytes */
export const onPagesFreed = { call: null as ((address: number, bytes: number) => void) | null };

/** blocks that callers hold, now and at the baseline */
export const clients = { count: 0 };
let clientsBefore = 0;

export function kasanUndo(): void {
  clients.count = clientsBefore;
  undoMarks();
}

/** The machine has just been switched on: nobody holds anything. */
export function kasanForget(): void {
  clearMarks();
  clients.count = 0;
}

export function kasanBaseline(): void {
  clientsBefore = clients.count;
  keepMarks();
}

/** Memory changes hands (hw/kasan): whole pages are marked by page, chunks by word. A block's first mark says so. */
export function kasanChange(address: number, bytes: number, code: number, cpu: number): void {
  const first = address >>> PAGE_SHIFT;
  const pages = bytes >>> PAGE_SHIFT;
  if (code === KASAN_ALLOCATOR || code === KASAN_PAGE_FREE) {
    for (let page = first; page < first + pages; page++) markPage(page, code);
    if (code === KASAN_PAGE_FREE) onPagesFreed.call?.(address, bytes);
    return;
  }
  const word = address >>> 2;
  const paged = pages > 0 && (address & 4095) === 0 && (bytes & 4095) === 0;
  const whole = paged && pageMark(first) !== 0 && wordMark(word) === 0;
  const before = whole ? pageMark(first) : wordMark(word);
  if (!mayChange(before, code, address, cpu)) return;
  clients.count += code === KASAN_CLIENT ? 1 : -1;
  if (whole) for (let page = first; page < first + pages; page++) markPage(page, page === first ? code | BEGINS : code);
  else {
    const end = word + Math.min(bytes >>> 2, MARKED_WORDS);
    for (let n = word; n < end; n++) markWord(n, n === word ? code | BEGINS : code);
  }
}

function mayChange(before: number, code: number, address: number, cpu: number): boolean {
  const held = (before & ~BEGINS) === KASAN_CLIENT;
  if (code === KASAN_CLIENT) {
    if (held) broken('double-alloc', 'is handed out twice', address, cpu);
    return !held;
  }
  if (before === (KASAN_CLIENT | BEGINS)) return true;
  if (held) broken('foreign-free', 'is freed, but it is inside a block', address, cpu);
  else if ((before & ~BEGINS) === KASAN_FREED) broken('double-free', 'is freed twice', address, cpu);
  else broken('foreign-free', 'is freed, but was never handed out', address, cpu);
  return false;
}

/** Any access to memory that may have gone back to the page allocator. */
export function kasanCheck(word: number, cpu: number): void {
  if (word < FIRST_WORD || word >= HEAP_WORDS || pageMark(word >>> (PAGE_SHIFT - 2)) !== KASAN_PAGE_FREE) return;
  broken('use-after-free', 'was given back to the page allocator', word << 2, cpu);
}

/** An access of a caller to a block it was given. */
export function clientCheck(word: number, cpu: number): void {
  const page = pageMark(word >>> (PAGE_SHIFT - 2)) & ~BEGINS;
  if (page === KASAN_CLIENT || ((wordMark(word) & ~BEGINS) === KASAN_CLIENT && page !== KASAN_PAGE_FREE)) return;
  broken('use-after-free', 'is not allocated', word << 2, cpu);
}

/** Does a block that a caller holds begin here? */
export function isClient(address: number): boolean {
  const begins = KASAN_CLIENT | BEGINS;
  return pageMark(address >>> PAGE_SHIFT) === begins || wordMark(address >>> 2) === begins;
}

function broken(cls: FailureClass, what: string, address: number, cpu: number): void {
  fail({ cls, message: `0x${(address >>> 0).toString(16)} ${what}`, cpu, step: execution.steps });
}
