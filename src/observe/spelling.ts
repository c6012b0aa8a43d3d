/**
 * spelling.ts — how people write the fields of structures, and the values that stand in them.
 *
 * Layouts have constants (Z_RCHUNKS, GD_NPOLL), people know the kernel's fields (z_RChunks, gd_npoll). Most are the
 * constant in small letters; where the kernel has capitals in the middle a table says so. Structures whose name is said
 * anyway ('vm_page 65.order') lose the prefix.
 */
import type { StructDescription } from '../base/struct.js';

const KERNEL: Readonly<Record<string, string>> = {
  Z_MAGIC: 'z_Magic', Z_CPU: 'z_Cpu', Z_NMAX: 'z_NMax', Z_BASEPTR: 'z_BasePtr', Z_ZONEINDEX: 'z_ZoneIndex',
  Z_FLAGS: 'z_Flags', Z_CHUNKSIZE: 'z_ChunkSize', Z_OVBYTES: 'z_OvBytes', Z_NFREE: 'z_NFree', Z_LCHUNKS: 'z_LChunks',
  Z_UINDEX: 'z_UIndex', Z_UENDINDEX: 'z_UEndIndex', Z_NEXT: 'z_Next', Z_PREV: 'z_Prev', Z_LISTED: 'z_Listed',
  Z_SIGNALED: 'z_Signaled', Z_NSPAN: 'z_NSpan', Z_RCHUNKS: 'z_RChunks', Z_RSIGNAL: 'z_RSignal', Z_RCOUNT: 'z_RCount',
  SL_ZONEARY: 'ZoneAry', SL_ZONETAIL: 'ZoneTail', SL_FREEZONES: 'FreeZones', SL_NFREEZONES: 'NFreeZones',
  SL_FREEOVZONES: 'FreeOvZones', SL_JUNKINDEX: 'JunkIndex', SL_SIZE: 'size', SL_BATCH: 'batch',
  SLC_BIGALLOC: 'ZoneBigAlloc', SLC_GENALLOC: 'ZoneGenAlloc', KM_MTX: 'malloc_mtx',
};
const DROPPED_PREFIX = /^(INTR|SB|VM|PG|KTR)_/;

/** Fields that are arrays: the words of one element, '' where it is one word without a name. */
const ARRAYS: Readonly<Record<string, readonly string[]>> = {
  SL_ZONEARY: [''], SL_ZONETAIL: [''], SL_BATCH: ['.zone', '.head', '.tail', '.count'], GD_IPIMASK: [''],
  GD_CSQ: ['.func', '.arg'], VM_FREE_QUEUES: ['.head', '.tail', '.count'], KS_SHORTDESC: [''], SB_EXCEPTION: [''],
  UMA_BUCKET_ZONES: [''], UMA_BUCKET_SIZE: [''], KMZ_ZONES: [''], KMZ_SIZE: [''], UK_NAME: [''], UZ_NAME: [''],
  MSG_TEXT: [''],
};

export function spelled(constant: string): string {
  return KERNEL[constant] ?? constant.replace(DROPPED_PREFIX, '').toLowerCase();
}

/** Name of each word of a structure, in order; the second word of a 64-bit field is '+4'. */
export function fieldNames({ fields, words }: StructDescription): readonly string[] {
  const starts = Object.entries(fields).sort(([, a], [, b]) => a - b);
  const names: string[] = [];
  for (const [n, [constant, first]] of starts.entries()) {
    const end = starts[n + 1]?.[1] ?? words;
    const element = ARRAYS[constant];
    for (let word = first; word < end; word++) {
      names[word] = spelled(constant) + (element ? elementName(element, word - first) : farther(word - first));
    }
  }
  return names;
}

function elementName(element: readonly string[], at: number): string {
  return `[${Math.floor(at / element.length)}]${element[at % element.length]}`;
}

function farther(at: number): string {
  return at === 0 ? '' : `+${at * 4}`;
}

/** fields, without indices, that hold an address or a magic number; negative ones are marks */
const ADDRESSES = new Set([
  'z_Magic', 'z_BasePtr', 'z_LChunks', 'z_Next', 'z_Prev', 'z_RChunks', 'ZoneAry', 'ZoneTail', 'FreeZones',
  'FreeOvZones', 'batch.zone', 'batch.head', 'batch.tail', 'ks_magic', 'ks_next', 'km_statistics', 'km_free', 'magic',
  'ks_handle', 'object', 'uma_kegs', 'uma_boot_mem', 'uma_kegs_zone', 'uma_zones_zone', 'uma_slabzone',
  'uma_slabrefzone', 'uma_hashzone', 'uma_bucket_zones', 'uma_bucket_size', 'kmz_mt_zone', 'kmz_zones', 'uk_slabzone',
  'uk_zones', 'uk_link', 'uk_part_slab', 'uk_free_slab', 'uk_full_slab', 'uh_slab_hash', 'uk_kva', 'us_keg', 'us_next',
  'us_prev', 'us_hlink', 'us_data', 'ub_link', 'ub_bucket', 'uz_keg', 'uz_link', 'uz_full_bucket', 'uz_free_bucket',
  'uc_freebucket', 'uc_allocbucket',
]);
const BITS = new Set(['z_Flags', 'z_Bitmap', 'flags', 'gd_ipimask', 'pending', 'uk_flags', 'us_flags']);
/** fields that hold what somebody else put there */
const ANYTHING = new Set([
  '', 'next', 'arg1', 'arg2', 'gd_wchan', 'gd_cs_data', 'gd_csq.arg', 'a', 'b', 'c', 'panic_a', 'panic_b', 'panic_c',
]);
/** nothing the allocator hands out lies below, and counts rarely come as far */
const LEAST_ADDRESS = 0x10000;

/** May the value of this field be an address? @param place what Symbols.place says of the word */
export function holdsAddress(place: string): boolean {
  const field = fieldOf(place);
  return ADDRESSES.has(field) || ANYTHING.has(field);
}

/** How a value of the word called `place` is written. */
export function valueText(place: string, value: number): string {
  const field = fieldOf(place);
  if (ADDRESSES.has(field)) return value > 0 ? hex(value) : String(value);
  if (BITS.has(field)) return value === 0 ? '0' : hex(value);
  if (!ANYTHING.has(field)) return String(value);
  return value >= LEAST_ADDRESS || value <= -LEAST_ADDRESS ? hex(value) : String(value);
}

/** 'slgd cpu0.batch[5].zone' -> 'batch.zone'; '' for words of a block, which have no field */
function fieldOf(place: string): string {
  if (place.startsWith('item ')) return '';
  const dot = place.indexOf('.');
  if (dot < 0 && /^(chunk|page|scratch)\b/.test(place)) return '';
  return place.slice(dot + 1).replace(/\[\d+\]/g, '');
}

export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}
