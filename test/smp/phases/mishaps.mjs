/** mishaps.mjs — phases that end badly. */
import { engine } from './engine.mjs';

const { critEnter, curcpu, gangBarrier, i32, kfree, kmalloc, M_WAITOK, slabCleanup } = engine;

/** One rank throws, the others wait for it. */
export function oneThrows({ rank, parties }) {
  if (rank === 1) throw new RangeError('the moon is full');
  gangBarrier(parties);
}

/** All throw at once, each its own long message. */
export function allThrow({ parties }) {
  gangBarrier(parties);
  throw new Error(`${String.fromCharCode(65 + curcpu).repeat(900)} from cpu${curcpu}`);
}

/** All panic at once: each frees an address that is its own to get wrong. */
export function allPanic({ parties }) {
  const type = engine.mallocTypeCreate('temp');
  gangBarrier(parties);
  kfree(8 * (curcpu + 1), type);
}

export function throwString() {
  throw 'a string';
}

export async function rejects() {
  await null;
  throw new TypeError('later');
}

export function loop({ rank, parties }) {
  if (rank === 0) for (;;);
  gangBarrier(parties);
}

export function exit({ rank, parties }, code) {
  if (rank === 1) process.exit(code);
  gangBarrier(parties);
}

/** Throws when the phase is long over. */
export function throwLater() {
  setTimeout(() => {
    throw new Error('after hours');
  }, 1);
}

export function unbalanced() {
  critEnter();
}

export function returnFunction() {
  return () => {};
}

/** Waits for one CPU more than there are. */
export function sleepLong({ parties }) {
  gangBarrier(parties + 1);
}

/** The last rank does something no kernel forgives. */
export function mistake({ rank, parties }, type, what, block) {
  const mistakes = {
    'free twice': () => {
      kfree(block, type);
      kfree(block, type);
    },
    'free NULL': () => kfree(0, type),
    'free with no type': () => kfree(block, 64),
    'free the superblock': () => kfree(8, type),
    'free beyond memory': () => kfree(0x7ffffff8, type),
    'free a negative address': () => kfree(-64, type),
    'free a free page': () => kfree(i32.length * 4 - 65536 + 8, type),
    'free a zone header': () => kfree(block & ~0x7fff, type),
    'free by a misaligned pointer': () => kfree(block + 4, type),
    'free from the middle': () => kfree(block + 8, type),
    'free in a smashed zone': () => {
      i32[((block & ~0x7fff) + ((block >>> 15) & 15) * 256) >>> 2] = 0x12345678;
      kfree(block, type);
    },
  };
  if (rank === parties - 1) mistakes[what]();
  gangBarrier(parties);
}

/** A chunk of CPU 0, freed twice by CPU 1, or by both; CPU 0 then looks after its zones. */
export function freeTwiceRemotely({ rank, parties }, type, block, by) {
  if (rank === 1) kfree(block, type);
  if (rank === 1 && by === 'the other CPU, one at a time') {
    kfree(kmalloc(64, type, M_WAITOK), type);
    slabCleanup(true);
  }
  gangBarrier(parties);
  if (by === 'both CPUs' ? rank === 0 : rank === 1) kfree(block, type);
  if (rank === 1) slabCleanup(true);
  gangBarrier(parties);
  slabCleanup(true);
  gangBarrier(parties);
}

/** Not a mishap, if it ends. */
export function freeAll(_part, type, blocks) {
  for (const block of blocks) kfree(block, type);
}
