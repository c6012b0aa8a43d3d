/** slab.ts — `show zone`, `show slab`, `show bucket`: where the items are. */
import { UMAF_MTRASH } from '../../freebsd/uma.js';
import * as U from '../../freebsd/uma_int.layout.js';
import { typeAddresses, typeName } from '../malloc_types.js';
import type { Memory } from '../memory.js';
import { dumpStruct } from '../panic_report.js';
import { peek } from '../peek.js';
import { zoneName } from '../uma_zones.js';
import {
  allSlabs, bucketItems, findSlab, type Found, isFreebsd, isLarge, kegSlabs, kegZones, slabFreeIndices, slabItems,
  zoneBuckets,
} from '../walk_uma.js';
import { type DdbCommand, hex, noMore, structureAt, wrong } from './command.js';
import { allZones, kegText, onlyFreebsd, showUmaZone, slabLine } from './uma.js';
import { drawMap, listZones, slabZone } from './zones.js';

export const SHOW_ZONE: DdbCommand = {
  name: 'show zone', args: '[NAME|ADDR]', doc: 'zones: all of them, or the one of a name, an address, an item of it',
  run(memory, args) {
    noMore('show zone', args, 1);
    if (isFreebsd(memory)) return showUmaZone(memory, args[0]);
    if (args.length === 0) return listZones(memory);
    return slabZone(memory, 'show zone', structureAt(memory, 'show zone', args[0]));
  },
};

function umaSlab(memory: Memory, address: number): string[] {
  const found = findSlab(memory, address) ?? slabHeader(memory, address);
  if (!found) throw wrong(`show slab: ${hex(address)} is in no slab; show zone lists them`);
  const { keg, slab, index } = found;
  if (isLarge(memory, slab)) {
    return [`slab: ${hex(slab)} of a large block: data ${hex(peek(memory, slab, U.US_DATA))}, size ` +
      `${peek(memory, slab, U.US_SIZE)}`];
  }
  const buckets = kegZones(memory, keg).flatMap((zone) => zoneBuckets(memory, zone));
  const cached = new Set(buckets.flatMap(({ items }) => items));
  const free = new Set(slabFreeIndices(memory, keg, slab));
  const letters = slabItems(memory, keg, slab).map((item, n) => (free.has(n) ? '.' : cached.has(item) ? 'b' : '*'));
  const { part, full } = kegSlabs(memory, keg);
  const list = part.includes(slab) ? 'part' : full.includes(slab) ? 'full' : 'free';
  const items = `${letters.length} items of ${peek(memory, keg, U.UK_RSIZE)} bytes`;
  return [
    slabLine(memory, slab),
    `keg "${kegText(memory, keg)}", on its ${list} list, ${items}`,
    ...(index >= 0 ? [`item ${index} at ${hex(found.item)} is ${STATE[letters[index]!]}${owner(memory, found)}`] : []),
    ...dumpStruct(memory, U.UMA_SLAB, slab).slice(1), ...drawMap(letters),
  ];
}

/** Of a freed item with a trash pattern: its last word is the type that freed it (uma_dbg.c, mtrash_dtor). */
function owner(memory: Memory, { keg, item }: Found): string {
  if (peek(memory, keg, U.UK_INIT) !== UMAF_MTRASH || peek(memory, item) !== TRASH) return '';
  const type = peek(memory, item, (peek(memory, keg, U.UK_SIZE) >>> 2) - 1);
  return typeAddresses(memory).includes(type) ? `, most recently used by ${typeName(memory, type)}` : '';
}

/** uma_junk */
const TRASH = 0xdeadc0de | 0;
const STATE: Readonly<Record<string, string>> = {
  '.': 'free, on the slab', b: 'free, in a bucket', '*': 'allocated', undefined: 'unknown',
};

/** A slab header's own address: of off-page headers nothing else leads there. */
function slabHeader(memory: Memory, address: number): Found | null {
  const keg = peek(memory, address, U.US_KEG);
  const listed = isFreebsd(memory) && allZones(memory).some((one) => one.keg === keg);
  const found = listed && allSlabs(kegSlabs(memory, keg)).includes(address);
  return found ? { keg, slab: address, item: 0, index: -1 } : null;
}

export const SHOW_SLAB: DdbCommand = {
  name: 'show slab', args: 'ADDR', doc: 'the slab an address lies in, and which of its items are free',
  run(memory, args) {
    noMore('show slab', args, 1);
    const address = structureAt(memory, 'show slab', args[0]);
    if (!isFreebsd(memory)) return slabZone(memory, 'show slab', address);
    // a header outside of its slab is an item itself: the header's own slab is meant
    const header = slabHeader(memory, address);
    return umaSlab(memory, header ? peek(memory, address, U.US_DATA) : address);
  },
};

export const SHOW_BUCKET: DdbCommand = {
  name: 'show bucket', args: 'ADDR', doc: 'a bucket of UMA: where it hangs, what is in it',
  run(memory, args) {
    noMore('show bucket', args, 1);
    onlyFreebsd(memory, 'show bucket');
    const address = structureAt(memory, 'show bucket', args[0]);
    for (const { zone } of allZones(memory)) {
      for (const bucket of zoneBuckets(memory, zone)) {
        if (bucket.address !== address) continue;
        const where = bucket.cpu >= 0 ? `CPU ${bucket.cpu}, its ${bucket.place} bucket` : `the ${bucket.place} list`;
        return [`zone "${zoneName(memory, zone)}", ${where}`, ...bucketDump(memory, address)];
      }
    }
    throw wrong(`show bucket: ${hex(address)} is no bucket of a zone; show zone has their addresses`);
  },
};

function bucketDump(memory: Memory, bucket: number): string[] {
  const items = bucketItems(memory, bucket).map((item) => hex(item));
  const lines = dumpStruct(memory, U.UMA_BUCKET, bucket);
  for (let at = 0; at < items.length; at += 8) lines.push(`  ${items.slice(at, at + 8).join(' ')}`);
  return lines;
}
