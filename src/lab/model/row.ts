/**
 * row.ts — what a cell of the model's grid comes to: one workload on one machine under one cost profile. Counts are
 * exact and the same everywhere; nanoseconds are virtual, predictions of that profile.
 */
import type { AllocName, FreePolicy, StatsPolicy } from '../../base/policy.js';

/** Counts of the measured part, all CPUs together. */
export interface ModelCounts {
  accesses: number;
  /** locked operations: atomic stores and read-modify-writes */
  locked: number;
  /** a line came from another CPU, or another CPU had to give its copy up (upgrades are among them) */
  transfers: number;
  upgrades: number;
  /** copies other CPUs lost */
  invalidations: number;
  /** lines nobody had */
  misses: number;
  remoteFrees: number;
  /** messages queued, interrupts raised for them, runs of the handler, messages it executed */
  ipiMessages: number;
  ipiInterrupts: number;
  handlerRuns: number;
  handled: number;
  casTries: number;
  casFails: number;
  sleeps: number;
}

/** Where virtual time went, nanoseconds summed over the CPUs; together they are cpus x ns. */
export interface ModelTime {
  /** accesses to lines the CPU had, and locked operations on them */
  own: number;
  locked: number;
  /** lines nobody had; lines others had; waiting for a line that was on its way to somebody else */
  memory: number;
  transfer: number;
  queue: number;
  /** sending interrupts and entering handlers */
  ipi: number;
  /** turns of wait loops, and sleep, with the ringing */
  spin: number;
  sleep: number;
  /** done before the others, or waiting for them to be */
  idle: number;
}

/** One line of a structure, over all structures of the kind: 'SLZone z_RChunks z_RSignal z_RCount'. */
export interface LineCount {
  line: string;
  transfers: number;
  invalidations: number;
  locked: number;
  /** nanoseconds spent waiting for a line on its way to somebody else */
  queueNs: number;
  /** nanoseconds spent in wait loops and asleep until something in it changed: a mutex's is its lock wait */
  waitNs: number;
}

/** Zones over time: of each zone, in hundredths, how much of it was in use at each of the times. */
export interface ZoneMap {
  /** virtual nanoseconds */
  ns: number[];
  zones: { zone: string; cpu: number; chunk: number; used: number[] }[];
}

export interface ModelRow {
  suite: 'model';
  /** number of the cell in its sweep: what merge orders and joins by */
  cell: number;
  /** 'larson', 'stats-update' ..., or 'trace:NAME' */
  workload: string;
  alloc: AllocName;
  free: FreePolicy | '-';
  stats: StatsPolicy;
  /** name of the cost profile */
  costs: string;
  /** polls, the clock tick, or what the profile says an interrupt takes */
  signalDelay: number | 'tick' | 'profile';
  cpus: number;
  /** operations measured, all CPUs together: pairs, updates, or events of a trace */
  ops: number;
  /** virtual nanoseconds until the last CPU was done */
  ns: number;
  /** predicted: ops over ns */
  opsPerUs: number;
  counts: ModelCounts;
  time: ModelTime;
  /** most transfers first; lines nothing happened to are left out */
  lines: LineCount[];
  /** remote frees by who freed (first index) and whose zone it was; not where there were none */
  remote?: number[][];
  /** operations by what they took: upper bounds in nanoseconds (ascending), and how many were below, above the last */
  latency?: { ns: number[]; count: number[] };
  zones?: ZoneMap;
  /** 'ok', or what is wrong with the machine after the run */
  audit: string;
}
