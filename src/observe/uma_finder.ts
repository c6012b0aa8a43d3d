/**
 * uma_finder.ts — what the item is that an address of a freebsd machine lies in.
 *
 *   page -> slab   malloc's say so (PG_SLAB); of the allocator's own kegs the header has its place in the page
 *                  (uk_pgoff), or is in the keg's hash; a header counts when its keg's lists lead to it
 *   slab -> item   of "UMA Kegs" a keg, of "UMA Zones" a zone, of the bucket zones a bucket, of mt_zone a type's
 *                  statistics, of the others an item
 *
 * Nothing is kept but the kegs there are, which is looked at again when their number changes; the first keg and zones,
 * in no slab, are found among them. A page costs a look at each keg that has headers on its pages, a dozen words.
 */
import { PAGE_SHIFT, PAGE_SIZE } from '../base/param.js';
import { KERN_MALLOC, KMZ_MT_ZONE } from '../freebsd/kern_malloc.layout.js';
import { UMA_ZONE_MALLOC, UMA_ZONE_OFFPAGE } from '../freebsd/uma.js';
import * as U from '../freebsd/uma_int.layout.js';
import { SB_UMA } from '../hw/superblock.layout.js';
import { KS_HANDLE } from '../kern/malloc_type.layout.js';
import { typeAddresses, typeName } from './malloc_types.js';
import type { Memory } from './memory.js';
import { peek } from './peek.js';
import { zoneName } from './uma_zones.js';
import { isLarge, kegZones, umaKegs, vtoslab } from './walk_uma.js';

const MOST_CHAIN = 64;

/** What a word is part of: a structure, its first byte, what it is called. */
export interface Part {
  readonly kind: 'keg' | 'zone' | 'slab' | 'bucket' | 'stats' | 'item' | 'page';
  readonly at: number;
  readonly name: string;
}

/** Items, found by their slabs. */
export class UmaFinder {
  readonly #memory: Memory;
  readonly #uma: number;
  #key = -1;
  #head = -1;
  /** of the kegs, those whose slabs are not known by their pages */
  #kegs: readonly number[] = [];
  /** zones and kegs by address, for those in no slab */
  #known = new Map<number, Part>();

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#uma = memory.sb(SB_UMA) >>> 2;
  }

  part(address: number): Part {
    this.#refresh();
    const memory = this.#memory;
    const page = address & -PAGE_SIZE;
    const slab = vtoslab(memory, address);
    if (slab !== 0 && isLarge(memory, slab)) return { kind: 'page', at: page, name: '' };
    const keg = slab !== 0 ? peek(memory, slab, U.US_KEG) : this.#kegOf(page);
    if (keg === 0) return this.#static(address) ?? { kind: 'page', at: page, name: '' };
    return this.#inSlab(keg, slab !== 0 ? slab : this.#header(keg, page), address);
  }

  /** The kegs, looked at again when there may be others. */
  #refresh(): void {
    const { i32 } = this.#memory;
    const [count, head] = [i32[this.#uma + U.UMA_NZONES]!, i32[this.#uma + U.UMA_KEGS]!];
    if (count === this.#key && head === this.#head) return;
    this.#key = count;
    this.#head = head;
    const kegs = umaKegs(this.#memory);
    this.#kegs = kegs.filter((keg) => (peek(this.#memory, keg, U.UK_FLAGS) & UMA_ZONE_MALLOC) === 0);
    this.#known = new Map();
    for (const keg of kegs) {
      this.#known.set(keg, { kind: 'keg', at: keg, name: this.#kegName(keg) });
      for (const zone of kegZones(this.#memory, keg)) {
        this.#known.set(zone, { kind: 'zone', at: zone, name: zoneName(this.#memory, zone) });
      }
    }
  }

  /** Keg of the slab on this page, 0 without one; malloc's are known by their pages. */
  #kegOf(page: number): number {
    return this.#kegs.find((keg) => this.#header(keg, page) !== 0) ?? 0;
  }

  /** Header of the keg's slab on this page: it says so, and the keg's lists lead to it. */
  #header(keg: number, page: number): number {
    const memory = this.#memory;
    const offpage = (peek(memory, keg, U.UK_FLAGS) & UMA_ZONE_OFFPAGE) !== 0;
    const slab = offpage ? this.#hashed(keg, page) : page + peek(memory, keg, U.UK_PGOFF);
    if (slab === 0 || peek(memory, slab, U.US_KEG) !== keg || peek(memory, slab, U.US_DATA) !== page) return 0;
    const before = peek(memory, slab, U.US_PREV);
    const linked = before !== 0
      ? peek(memory, before, U.US_NEXT) === slab
      : [U.UK_PART_SLAB, U.UK_FULL_SLAB, U.UK_FREE_SLAB].some((head) => peek(memory, keg, head) === slab);
    return linked ? slab : 0;
  }

  #hashed(keg: number, page: number): number {
    const memory = this.#memory;
    const size = peek(memory, keg, U.UH_HASHSIZE);
    let slab = size > 0 ? peek(memory, peek(memory, keg, U.UH_SLAB_HASH), (page >>> PAGE_SHIFT) & (size - 1)) : 0;
    for (let n = 0; n < MOST_CHAIN && slab !== 0 && peek(memory, slab, U.US_DATA) !== page; n++) {
      slab = peek(memory, slab, U.US_HLINK);
    }
    return slab;
  }

  #inSlab(keg: number, slab: number, address: number): Part {
    const memory = this.#memory;
    if (slab >>> PAGE_SHIFT === address >>> PAGE_SHIFT && address >= slab) {
      return { kind: 'slab', at: slab, name: this.#kegName(keg) };
    }
    const data = peek(memory, slab, U.US_DATA);
    const rsize = peek(memory, keg, U.UK_RSIZE);
    const index = rsize > 0 ? Math.floor((address - data) / rsize) : -1;
    const inside = index >= 0 && index < peek(memory, keg, U.UK_IPERS);
    return inside ? this.#item(keg, data + index * rsize) : { kind: 'page', at: address & -PAGE_SIZE, name: '' };
  }

  #item(keg: number, at: number): Part {
    const zone = peek(this.#memory, keg, U.UK_ZONES);
    if (zone === this.#global(U.UMA_KEGS_ZONE) || zone === this.#global(U.UMA_ZONES_ZONE)) {
      // one that is being made, or was destroyed, is on no list
      const known = this.#known.get(at);
      if (known) return known;
    }
    for (let n = 0; n < U.NBUCKET_ZONES; n++) {
      if (zone === this.#global(U.UMA_BUCKET_ZONES + n)) return { kind: 'bucket', at, name: '' };
    }
    if (zone === this.#global(KERN_MALLOC + KMZ_MT_ZONE)) {
      const memory = this.#memory;
      const type = typeAddresses(memory).find((one) => peek(memory, one, KS_HANDLE) === at);
      if (type !== undefined) return { kind: 'stats', at, name: typeName(memory, type) };
    }
    const header = zone === this.#global(U.UMA_SLABZONE) || zone === this.#global(U.UMA_SLABREFZONE);
    const of = header ? peek(this.#memory, at, U.US_KEG) : 0;
    if (this.#known.get(of)?.kind === 'keg') return { kind: 'slab', at, name: this.#kegName(of) };
    return { kind: 'item', at, name: zoneName(this.#memory, zone) };
  }

  /** The first keg and zones lie in pages of their own. */
  #static(address: number): Part | null {
    for (const part of this.#known.values()) {
      if (part.at >>> PAGE_SHIFT !== address >>> PAGE_SHIFT || address < part.at) continue;
      const bytes = part.kind === 'keg' ? U.UK_WORDS * 4 : U.umaZoneBytes(this.#memory.ncpu);
      if (address < part.at + bytes) return part;
    }
    return null;
  }

  #global(word: number): number {
    return this.#memory.i32[this.#uma + word]!;
  }

  /** Its first zone's name is its own; a keg on its way out may have none. */
  #kegName(keg: number): string {
    return zoneName(this.#memory, keg + (U.UK_NAME - U.UZ_NAME) * 4);
  }
}
