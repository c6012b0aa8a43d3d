/**
 * moves.ts — threads that move: a mover takes one off its CPU between two of its accesses and puts it on another.
 *
 *   CPU 0   access ── mine = address(curcpu) ──┐ moved
 *   CPU 1                                      └────────► access to mine, which is CPU 0's
 *
 * The switch comes with the access that follows: what the code has read of curcpu since the one before is stale, and
 * that is the race. A move before that reading is the one before the access ahead of it; but doubles and marks are no
 * scheduling points, and nobody moves there.
 *
 * An operation that is run again has to see the same CPU at each access, so the positions in its log before which it
 * was moved are kept. Where it ends, the next one begins.
 *
 * A context switch empties the store buffer, and orders what the thread did before it with what it does after it.
 */
import { MOVE } from '../../base/access.js';
import { clockArrives, clockLeaves } from './clocks.js';
import { curcpu, switchCpu } from './curcpu.js';
import { cpuOf, critWord, homeOf, layout, MAX_ENTITIES, moverThread, moverTo, moverUsed, threadOn } from './entity.js';
import { hooks } from './hooks.js';
import { HEAP_WORDS } from './journal.js';
import { length, lengthOf, me, pos } from './log.js';
import { bufferCount, drainOldest } from './storebuffer.js';

const NEVER = -1;
/** per entity, of its operation under way: CPU it began on, and its moves: before which access, where to */
const beganOn = new Int32Array(MAX_ENTITIES);
const movedAt: number[][] = Array.from({ length: MAX_ENTITIES }, () => []);
const movedTo: number[][] = Array.from({ length: MAX_ENTITIES }, () => []);

/** of the entity that runs: position of its next move, and how many it has behind it in this run of the operation */
export let nextMove = NEVER;
let behind = 0;

/** An execution begins. */
export function movesReset(): void {
  beganOn.set(homeOf);
  for (let e = 0; e < MAX_ENTITIES; e++) movedAt[e].length = 0;
  nextMove = NEVER;
}

/** Entity `e` goes on, from the start of its log: on the CPU its operation began on. */
export function startMoves(e: number): void {
  behind = 0;
  nextMove = movedAt[e][0] ?? NEVER;
  switchCpu(beganOn[e]);
}

/** The operation has returned. */
export function endMoves(e: number): void {
  beganOn[e] = cpuOf[e];
  movedAt[e].length = 0;
  nextMove = NEVER;
}

/** The scheduler moves a thread. */
export function move(mover: number): void {
  const e = moverThread[mover];
  const from = cpuOf[e];
  const to = moverTo[mover];
  while (bufferCount[from] > 0) drainOldest(from);
  moverUsed[mover] = 1;
  if (threadOn[from] === e) threadOn[from] = -1;
  cpuOf[e] = to;
  clockLeaves(e, from);
  const n = movedAt[e].push(e === me ? length : lengthOf[e]) - 1;
  movedTo[e][n] = to;
  if (e === me) nextMove = movedAt[e][behind];
  if (hooks.watch !== null) hooks.watch(layout.move0 + mover, MOVE, HEAP_WORDS + to, to, from, to);
}

/** The access at `pos` is the first on another CPU, in a run over the log. */
export function arrive(): void {
  for (; pos === nextMove; nextMove = movedAt[me][behind] ?? NEVER) switchCpu(movedTo[me][behind++]);
}

/** The same, and the access really happens. */
export function arriveLive(): void {
  arrive();
  threadOn[curcpu] = me;
  clockArrives(me, curcpu);
}

/**
 * The word this CPU has in place of another's critical count or mask. In the kernel critical_enter counts in the
 * thread and cli masks the CPU it runs on: neither can be split by a move. Ours counts in the CPU's line, whose address
 * is computed before the access.
 */
export function ownWord(word: number): number {
  for (let cpu = 0; cpu < layout.ncpu; cpu++) {
    if (word === critWord[cpu]) return critWord[curcpu];
    if (word === HEAP_WORDS + cpu) return HEAP_WORDS + curcpu;
  }
  return word;
}

/** For state merging: where the entity is, and where its operation was before. */
export function movesHash(e: number): number {
  let h = Math.imul(cpuOf[e] + 1, 0x9e3779b1) ^ beganOn[e];
  for (let n = 0; n < movedAt[e].length; n++) {
    h = Math.imul(h ^ movedAt[e][n], 0x01000193) ^ (h >>> 13);
    h = Math.imul(h ^ movedTo[e][n], 0x85ebca6b) ^ (h >>> 15);
  }
  return h;
}
