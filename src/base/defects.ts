/**
 * defects.ts — fixes that can be taken out again, each as history had it, by the numbers of docs/races.md.
 *
 * A machine is booted with `defects: ['R47']`, to be explored or to show that a test finds the race. Race n is bit n of
 * the words SB_DEFECTS; races without a number have those behind R80. Engine code asks where DEFECTS is true (stepped,
 * invariants): `DEFECTS && defect(D_R47)`, hw/defect.ts; in the release flavour all of it is dead code.
 *
 * A mistake of the program that runs on the machine is the scenario's own: it asks for it by name (lab/kit.ts, defect).
 */

export const D_R1 = 1;
export const D_R2 = 2;
export const D_R4 = 4;
export const D_R7 = 7;
export const D_R8 = 8;
export const D_R10 = 10;
export const D_R11 = 11;
export const D_R12 = 12;
export const D_R14 = 14;
export const D_R15 = 15;
export const D_R16 = 16;
export const D_R18 = 18;
export const D_R19 = 19;
export const D_R20 = 20;
export const D_R21 = 21;
export const D_R34 = 34;
export const D_R38 = 38;
export const D_R39 = 39;
export const D_R40 = 40;
export const D_R42 = 42;
export const D_R43 = 43;
export const D_R45 = 45;
export const D_R46 = 46;
export const D_R47 = 47;
export const D_R48 = 48;
export const D_R49 = 49;
export const D_R50 = 50;
export const D_R52 = 52;
export const D_UMA_ZDTOR = 81;
export const D_UMA_CROSSDOMAIN = 82;

/** words of SB_DEFECTS */
export const DEFECT_WORDS = 3;

export interface Defect {
  /** bit in SB_DEFECTS */
  readonly number: number;
  /** what is wrong while it is switched on */
  readonly what: string;
}

export const DEFECTS_BY_NAME: Readonly<Record<string, Defect>> = {
  R1: { number: D_R1, what: 'statistics policy mutex: without its lock' },
  R2: { number: D_R2, what: 'statistics policies critical, unpadded: an update without its critical section' },
  R4: { number: D_R4, what: 'mallocTypeMemuse and mallocTypeInuse: a negative sum is not shown as 0' },
  R7: { number: D_R7, what: 'malloc(9): an allocation that failed is counted, with no bytes' },
  R8: { number: D_R8, what: 'malloc_init, mallocTypeFind: a type that is there already leaves malloc_mtx held' },
  R10: { number: D_R10, what: 'malloc_uninit frees the malloc_type itself into mt_zone, without a slab' },
  R11: { number: D_R11, what: 'debug.malloc.profile: requests are counted by a plain add' },
  R12: { number: D_R12, what: 'debug.malloc.failure_rate: the count is read again after the add' },
  R14: { number: D_R14, what: "UMA: the CPU's buckets are not looked for and looked at again under the lock" },
  R15: { number: D_R15, what: 'any number of fills of a zone at once' },
  R16: { number: D_R16, what: 'a zone is full no longer: one sleeper is woken; a drain or a new limit wakes nobody' },
  R18: { number: D_R18, what: 'the recursion guard refuses slab headers, too, while a slab of them is made' },
  R19: { number: D_R19, what: 'uma_timeout and uma_reclaim walk the list of kegs without uma_mtx' },
  R20: { number: D_R20, what: 'a keg and its zone are linked before the zone has its fields' },
  R21: { number: D_R21, what: 'a larger hash table is filled and installed without uk_lock' },
  R34: { number: D_R34, what: "policy ipi: the type rides in the freed chunk's first word" },
  R38: { number: D_R38, what: 'rcount, rsignal2: z_Cpu is read after the link, and nothing pins the zone' },
  R39: { number: D_R39, what: "a remote free counts in the owner's statistics slot, without a lock" },
  R40: { number: D_R40, what: 'rsignal2: RSignal is read before the link and not again' },
  R42: { number: D_R42, what: 'rcount, rsignal2, rtagged, rbatch: a zone is released whatever pins it' },
  R43: { number: D_R43, what: 'kmemusage is cleared after the pages were freed' },
  R45: { number: D_R45, what: 'a sender that waits for room raises no interrupt' },
  R46: { number: D_R46, what: 'a sender that waits for room does not serve its own queues' },
  R47: { number: D_R47, what: 'ipimask is not read again after npoll was released' },
  R48: { number: D_R48, what: 'npoll is released by a plain store' },
  R49: { number: D_R49, what: 'a message counts as executed when ip_rindex has passed it' },
  R50: { number: D_R50, what: 'a CPU held in a rendezvous serves nothing' },
  R52: { number: D_R52, what: 'malloc_uninit does not wait for the frees that are under way' },
  'uma-zdtor': { number: D_UMA_ZDTOR, what: 'uma_zdestroy drains to the working set, with the zone still on the list' },
  'uma-crossdomain': { number: D_UMA_CROSSDOMAIN, what: "a bucket is allocated with its zone's lock held" },
};

export const DEFECT_NAMES: readonly string[] = Object.keys(DEFECTS_BY_NAME);

/** The words SB_DEFECTS of a machine with these defects. @param names of DEFECTS_BY_NAME */
export function defectBits(names: readonly string[]): number[] {
  const words = Array.from({ length: DEFECT_WORDS }, () => 0);
  for (const name of names) {
    const { number } = DEFECTS_BY_NAME[name]!;
    words[number >>> 5]! |= 1 << (number & 31);
  }
  return words;
}
