/** freebsd.ts — a malloc(9) machine in the test's own thread, and a look into its zones. */
import { MF_RATE } from '../../src/freebsd/kern_malloc.layout.js';
import { UMAF_USER } from '../../src/freebsd/uma.js';
import { M_WAITOK } from '../../src/freebsd/malloc.js';
import * as L from '../../src/freebsd/uma_int.layout.js';
import { SB_UPTIME } from '../../src/hw/superblock.layout.js';
import type { BootOptions } from '../../src/host/options.js';
import { kernelMessages } from '../../src/observe/msgbuf.js';
import { umaZones } from '../../src/observe/uma_zones.js';
import { inside } from './inside.js';

export { M_NOVM as NOVM, M_NOWAIT as NOWAIT, M_WAITOK as WAITOK, M_ZERO as ZERO } from '../../src/freebsd/malloc.js';

/** A bucket as a test sees it. */
export interface Bucket {
  readonly cnt: number;
  readonly entries: number;
}

export type Freebsd = Awaited<ReturnType<typeof freebsd>>;

export async function freebsd(options: BootOptions = {}) {
  const m = await inside({ alloc: 'freebsd', ...options });
  const bucket = (address: number): Bucket | null =>
    address === 0 ? null : { cnt: m.word(address, L.UB_CNT), entries: m.word(address, L.UB_ENTRIES) };
  const kegOf = (zone: number): number => m.word(zone, L.UZ_KEG);
  const list = (head: number, link: number): number[] => {
    const found: number[] = [];
    for (let at = head; at !== 0; at = m.word(at, link)) found.push(at);
    return found;
  };
  return {
    ...m,
    /** malloc(9), UMA and what they are made of */
    f: m.fbsd,
    kegOf,
    /** a word of the zone's keg */
    keg: (zone: number, field: number): number => m.word(kegOf(zone), field),
    pokeKeg: (zone: number, field: number, value: number): void => m.poke(kegOf(zone), field, value),
    /** a CPU's two buckets of a zone */
    cache(zone: number, cpu = 0): { alloc: Bucket | null; free: Bucket | null } {
      const cache = L.UZ_CPU + cpu * L.UC_WORDS;
      return {
        alloc: bucket(m.word(zone, cache + L.UC_ALLOCBUCKET)), free: bucket(m.word(zone, cache + L.UC_FREEBUCKET)),
      };
    },
    /** their addresses */
    buckets: (zone: number, cpu = 0): { alloc: number; free: number } => ({
      alloc: m.word(zone, L.UZ_CPU + cpu * L.UC_WORDS + L.UC_ALLOCBUCKET),
      free: m.word(zone, L.UZ_CPU + cpu * L.UC_WORDS + L.UC_FREEBUCKET),
    }),
    /** the zone's own buckets */
    fullBuckets: (zone: number): Bucket[] => list(m.word(zone, L.UZ_FULL_BUCKET), L.UB_LINK).map((b) => bucket(b)!),
    freeBuckets: (zone: number): Bucket[] => list(m.word(zone, L.UZ_FREE_BUCKET), L.UB_LINK).map((b) => bucket(b)!),
    slabs: (zone: number, head: number): number[] => list(m.word(kegOf(zone), head), L.US_NEXT),
    /** a 64-bit count of a zone */
    count: (zone: number, field: number): number => Number(m.i64[((zone >>> 2) + field) >>> 1]!),
    /** allocations and frees of a zone as observers see them: what its CPUs counted is in them */
    counts(zone: number): { allocs: number; frees: number } {
      const row = umaZones(m.memory).find(({ address }) => address === zone)!;
      const sum = (what: 'allocs' | 'frees') => Number(row.cpus.reduce((n, cpu) => n + cpu[what], row[what]));
      return { allocs: sum('allocs'), frees: sum('frees') };
    },
    /** allocates `n` items */
    take: (zone: number, n: number, flags = M_WAITOK): number[] =>
      Array.from({ length: n }, () => m.fbsd.umaZallocArg(zone, 0, flags)),
    give: (zone: number, items: readonly number[]): void => {
      for (const item of items) m.fbsd.umaZfreeArg(zone, item, 0);
    },
    /** seconds since boot are so many */
    uptime(seconds: number): void {
      m.i32[SB_UPTIME] = seconds;
    },
    failureRate(rate: number): void {
      m.i32[m.fbsd.KMALLOC + MF_RATE] = rate;
    },
    messages: (): string[] => kernelMessages(m.memory),
  };
}

/** Functions of a zone that count themselves, keep the order, and refuse when they are told to. */
export class Hooks {
  /** what happened, as 'ctor', 'zone init' ... */
  readonly log: string[] = [];
  readonly counts: Record<string, number> = {};
  /** asked before each call; true refuses */
  refuse: (what: string, call: number) => boolean = () => false;

  /** Binds functions under a number of the user's. @param who 'zone ' or 'keg ', for the log @returns the number */
  bind(m: Freebsd, number = UMAF_USER, who = ''): number {
    const happens = (what: string): number => {
      const name = who + what;
      const call = (this.counts[name] ?? 0) + 1;
      this.counts[name] = call;
      this.log.push(name);
      return this.refuse(name, call) ? 1 : 0;
    };
    m.f.umaFuncRegister(number, {
      ctor: () => happens('ctor'),
      dtor: () => void happens('dtor'),
      init: () => happens('init'),
      fini: () => void happens('fini'),
    });
    return number;
  }

  count(what: string): number {
    return this.counts[what] ?? 0;
  }
}
