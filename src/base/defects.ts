/**
 * defects.ts — fixes that can be taken out again, each as history had it, by the numbers of docs/races.md.
 *
 * A machine is booted with `defects: ['R47']`, to be explored or to show that a test finds the race. The word
 * SB_DEFECTS has one bit each. Engine code asks it where DEFECTS is true (stepped, invariants); in the release flavour
 * all of it is dead code. A scenario's own defect is a mistake of the program that runs on the machine: it has a bit
 * when its race has a number, and the scenario asks for it by name (lab/kit.ts, defect), as for those without a number.
 */

export const D_R1 = 1 << 0;
export const D_R2 = 1 << 1;
export const D_R3 = 1 << 2;
export const D_R4 = 1 << 3;
export const D_R34 = 1 << 4;
export const D_R38 = 1 << 5;
export const D_R39 = 1 << 6;
export const D_R40 = 1 << 7;
export const D_R41 = 1 << 8;
export const D_R42 = 1 << 9;
export const D_R43 = 1 << 10;
export const D_R44 = 1 << 11;
export const D_R45 = 1 << 12;
export const D_R46 = 1 << 13;
export const D_R47 = 1 << 14;
export const D_R48 = 1 << 15;
export const D_R49 = 1 << 16;
export const D_R50 = 1 << 17;
export const D_R51 = 1 << 18;
export const D_R52 = 1 << 19;

export interface Defect {
  /** in SB_DEFECTS */
  readonly bit: number;
  /** what is wrong while it is switched on */
  readonly what: string;
}

const SCENARIO = "a scenario's own";

export const DEFECTS_BY_NAME: Readonly<Record<string, Defect>> = {
  R1: { bit: D_R1, what: 'statistics policy mutex: without its lock' },
  R2: { bit: D_R2, what: 'statistics policies critical, unpadded: an update without its critical section' },
  R3: { bit: D_R3, what: SCENARIO },
  R4: { bit: D_R4, what: 'mallocTypeMemuse and mallocTypeInuse: a negative sum is not shown as 0' },
  R34: { bit: D_R34, what: "policy ipi: the type rides in the freed chunk's first word" },
  R38: { bit: D_R38, what: 'rcount, rsignal2: z_Cpu is read after the link, and nothing pins the zone' },
  R39: { bit: D_R39, what: "a remote free counts in the owner's statistics slot, without a lock" },
  R40: { bit: D_R40, what: 'rsignal2: RSignal is read before the link and not again' },
  R41: { bit: D_R41, what: SCENARIO },
  R42: { bit: D_R42, what: 'rcount, rsignal2, rtagged, rbatch: a zone is released whatever pins it' },
  R43: { bit: D_R43, what: 'kmemusage is cleared after the pages were freed' },
  R44: { bit: D_R44, what: SCENARIO },
  R45: { bit: D_R45, what: 'a sender that waits for room raises no interrupt' },
  R46: { bit: D_R46, what: 'a sender that waits for room does not serve its own queues' },
  R47: { bit: D_R47, what: 'ipimask is not read again after npoll was released' },
  R48: { bit: D_R48, what: 'npoll is released by a plain store' },
  R49: { bit: D_R49, what: 'a message counts as executed when ip_rindex has passed it' },
  R50: { bit: D_R50, what: 'a CPU held in a rendezvous serves nothing' },
  R51: { bit: D_R51, what: SCENARIO },
  R52: { bit: D_R52, what: 'malloc_uninit does not wait for the frees that are under way' },
};

export const DEFECT_NAMES: readonly string[] = Object.keys(DEFECTS_BY_NAME);

/** The word SB_DEFECTS of a machine with these defects. @param names of DEFECTS_BY_NAME */
export function defectBits(names: readonly string[]): number {
  return names.reduce((bits, name) => bits | DEFECTS_BY_NAME[name]!.bit, 0);
}
