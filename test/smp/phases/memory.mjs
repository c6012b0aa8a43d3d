/** memory.mjs — CPUs that use memory up. Blocks are kept in chains through their first words. */
import { engine } from './engine.mjs';

const { gangBarrier, i32, kfree, kmalloc, lwktSynchronizeIpiqs, M_NOWAIT, M_WAITOK, splz } = engine;

const SB_VM = 36;
const VM_WAITERS = 1;
const WAITERS = (i32[SB_VM] >>> 2) + VM_WAITERS;

/** Until a CPU waits for memory, and has been given what this one had to spare. */
function awaitWaiter() {
  while (Atomics.load(i32, WAITERS) === 0) splz();
  lwktSynchronizeIpiqs();
}

/** Takes blocks until there are no more. @returns how many, and the chain of them */
export function exhaust({ parties }, type, size) {
  gangBarrier(parties);
  let head = 0;
  let blocks = 0;
  for (;;) {
    const block = kmalloc(size, type, M_NOWAIT);
    if (block === 0) break;
    i32[block >>> 2] = head;
    head = block;
    blocks++;
  }
  gangBarrier(parties);
  return { blocks, head };
}

/** Frees up to `most` blocks of this rank's chain. @returns the rest of it */
export function release({ rank }, type, heads, most = Infinity) {
  return free(heads[rank], type, most);
}

function free(head, type, most) {
  for (let n = 0; n < most && head !== 0; n++) {
    const next = i32[head >>> 2];
    kfree(head, type);
    head = next;
  }
  return head;
}

/** @returns the block, or 0 */
export function tryOne(_part, type, size) {
  return kmalloc(size, type, M_NOWAIT);
}

/** Until the machine has had enough. */
export function waitForMore(_part, type, size) {
  for (;;) kmalloc(size, type, M_WAITOK);
}

/**
 * Rank 0 needs a block and waits, `rounds` times; rank 1 sees it waiting and frees one of its chain. @returns rank 0:
 * milliseconds and the blocks it got as a chain; rank 1: what is left of its chain
 */
export function handOver({ rank, parties }, type, size, chain, rounds, flag) {
  const done = flag >>> 2;
  gangBarrier(parties);
  const start = performance.now();
  let head = rank === 0 ? 0 : chain;
  for (let n = 1; n <= rounds; n++) {
    if (rank === 0) {
      const block = kmalloc(size, type, M_WAITOK);
      i32[block >>> 2] = head;
      head = block;
      Atomics.store(i32, done, n);
    } else {
      awaitWaiter();
      head = free(head, type, 1);
      while (Atomics.load(i32, done) < n) splz();
    }
  }
  return { ms: performance.now() - start, head };
}

/**
 * Rank 0 needs a block and waits; rank 1 frees `count` small ones when it sees that, which make whole zones but stay in
 * its reserve, and goes on working. @returns rank 0: the block
 */
export function starve({ rank, parties }, type, size, chain, count, flag) {
  const done = flag >>> 2;
  gangBarrier(parties);
  if (rank === 0) {
    const block = kmalloc(size, type, M_WAITOK);
    Atomics.store(i32, done, 1);
    return block;
  }
  awaitWaiter();
  const head = free(chain, type, count);
  while (Atomics.load(i32, done) === 0) splz();
  return head;
}

/** Rank 0 waits for memory; rank 1 works for `ms` milliseconds without freeing, then frees. @returns rank 0: a block */
export function patience({ rank, parties }, type, size, chain, ms) {
  gangBarrier(parties);
  if (rank === 0) return kmalloc(size, type, M_WAITOK);
  awaitWaiter();
  for (const until = performance.now() + ms; performance.now() < until; ) splz();
  return free(chain, type, 1);
}
