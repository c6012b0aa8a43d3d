/** uma.mjs — zones on real CPUs: limits that are slept at, reclaims under way, zones that come and go. */
import { engine } from './engine.mjs';

const { gangBarrier, i32, kfree, kmalloc, M_NOWAIT, M_WAITOK, splz, uma } = engine;

/** A zone with at most `max` items. */
export function makeZone(_part, size, max) {
  const zone = uma.umaZcreate({ name: 'limited', size });
  if (max > 0) uma.umaZoneSetMax(zone, max);
  return zone;
}

export function destroyZone(_part, zone) {
  uma.umaZdestroy(zone);
}

/**
 * Every CPU takes `hold` items, which may make it sleep, and frees them, `rounds` times; an item that two have at once
 * is found by the word each leaves in it. Who has done goes on with what is left over: what is in its buckets would be
 * out of reach for those who sleep. @returns items it got, and those that somebody else wrote to
 */
export function contend({ rank, parties }, zone, hold, rounds, done) {
  const finished = done >>> 2;
  gangBarrier(parties);
  let got = 0;
  let stolen = 0;
  for (let n = 0; n < rounds; n++) {
    const items = [];
    for (let k = 0; k < hold; k++) {
      const item = uma.umaZallocArg(zone, 0, M_WAITOK);
      i32[item >>> 2] = rank;
      items.push(item);
      got++;
    }
    for (const item of items) {
      if (i32[item >>> 2] !== rank) stolen++;
      uma.umaZfreeArg(zone, item, 0);
    }
  }
  Atomics.add(i32, finished, 1);
  while (Atomics.load(i32, finished) < parties) {
    const item = uma.umaZallocArg(zone, 0, M_NOWAIT);
    if (item !== 0) uma.umaZfreeArg(zone, item, 0);
    splz();
  }
  return { got, stolen };
}

/** Rank 0 reclaims, by turns soft and hard, until the others have done their mallocs. */
export function reclaiming({ rank, parties }, type, ops, done) {
  gangBarrier(parties);
  const finished = done >>> 2;
  if (rank === 0) {
    let reclaims = 0;
    while (Atomics.load(i32, finished) < parties - 1) {
      uma.umaReclaim(reclaims++ % 2 === 1);
      splz();
    }
    return reclaims;
  }
  const blocks = new Array(512).fill(0);
  let x = rank * 7919;
  for (let n = 0; n < ops; n++) {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
    const slot = x & 511;
    if (blocks[slot] !== 0) {
      if (i32[blocks[slot] >>> 2] !== ((rank << 20) | slot)) throw new Error('a block has two owners');
      kfree(blocks[slot], type);
    }
    blocks[slot] = kmalloc(16 << ((x >>> 9) % 9), type, M_WAITOK);
    i32[blocks[slot] >>> 2] = (rank << 20) | slot;
  }
  for (const block of blocks) if (block !== 0) kfree(block, type);
  Atomics.add(i32, finished, 1);
  return ops;
}

/** Rank 0 makes zones, uses and destroys them; the others reclaim and look at all zones meanwhile. */
export function comings({ rank, parties }, rounds, done) {
  gangBarrier(parties);
  const finished = done >>> 2;
  if (rank !== 0) {
    let looks = 0;
    for (; Atomics.load(i32, finished) === 0; looks++) {
      uma.umaReclaim(looks % 2 === 0);
      splz();
    }
    return looks;
  }
  for (let n = 0; n < rounds; n++) {
    const zone = uma.umaZcreate({ name: `z${n}`, size: 100 + (n % 50) * 80 });
    const second = uma.umaZsecondCreate({ name: `s${n}` }, zone);
    const items = [];
    for (let k = 0; k < 40; k++) items.push(uma.umaZallocArg(k % 2 ? zone : second, 0, M_NOWAIT));
    for (const [k, item] of items.entries()) if (item !== 0) uma.umaZfreeArg(k % 2 ? zone : second, item, 0);
    uma.zoneTimeout(zone);
    uma.umaZdestroy(n % 3 ? zone : second);
    uma.umaZdestroy(n % 3 ? second : zone);
  }
  Atomics.store(i32, finished, 1);
  return rounds;
}
