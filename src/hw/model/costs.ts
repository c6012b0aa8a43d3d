/**
 * costs.ts — what an access costs whom, and how far CPUs are from each other: set once, before anything runs.
 *
 * Owner: the lab, while nothing runs; constant afterwards.
 */
import { MAXCPU } from '../../base/param.js';

/** indices of `cost`, nanoseconds each; the lab's profiles have the same names (lab/model/profile.ts) */
export const ACCESS = 0;
export const LOCKED = 1;
export const MEMORY = 2;
export const TRANSFER_CLUSTER = 3;
export const TRANSFER_SOCKET = 4;
export const TRANSFER_REMOTE = 5;
export const PAUSE = 6;
export const IPI_SEND = 7;
export const IPI_DELIVER = 8;
export const IPI_ENTRY = 9;
export const FUTEX_WAIT = 10;
export const FUTEX_NOTIFY = 11;
export const FUTEX_WAKE = 12;
export const COST_NAMES = [
  'access', 'locked', 'memory', 'transferCluster', 'transferSocket', 'transferRemote', 'pause', 'ipiSend', 'ipiDeliver',
  'ipiEntry', 'futexWait', 'futexNotify', 'futexWake',
] as const;

export const cost = new Float64Array(COST_NAMES.length);

/** maskWords: 32-bit words of a set of CPUs; window: nanoseconds within which the order of two accesses is left open */
export const machine = { ncpu: 1, maskWords: 1, window: 0 };
/** cluster and socket of each CPU */
const clusterOf = new Uint16Array(MAXCPU);
const socketOf = new Uint16Array(MAXCPU);
/** the CPUs of each CPU's cluster, and of its socket, as sets */
let inCluster = new Int32Array(1);
let inSocket = new Int32Array(1);

/**
 * @param ncpu CPUs
 * @param cluster CPUs that share a last-level cache
 * @param sockets clusters are spread evenly over them
 */
export function layOutCpus(ncpu: number, cluster: number, sockets: number): void {
  machine.ncpu = ncpu;
  const words = (ncpu + 31) >>> 5;
  machine.maskWords = words;
  machine.window = cost[TRANSFER_CLUSTER] / 2;
  const clusters = Math.ceil(ncpu / cluster);
  const clustersPerSocket = Math.ceil(clusters / sockets);
  for (let cpu = 0; cpu < ncpu; cpu++) {
    clusterOf[cpu] = Math.floor(cpu / cluster);
    socketOf[cpu] = Math.floor(clusterOf[cpu] / clustersPerSocket);
  }
  inCluster = sets(ncpu, words, clusterOf);
  inSocket = sets(ncpu, words, socketOf);
}

function sets(ncpu: number, words: number, groupOf: Uint16Array): Int32Array<ArrayBuffer> {
  const result = new Int32Array(ncpu * words);
  for (let a = 0; a < ncpu; a++) {
    for (let b = 0; b < ncpu; b++) {
      if (groupOf[a] === groupOf[b]) result[a * words + (b >>> 5)] |= 1 << (b & 31);
    }
  }
  return result;
}

/** Nanoseconds of a line's way from one CPU to the other. */
export function between(a: number, b: number): number {
  if (clusterOf[a] === clusterOf[b]) return cost[TRANSFER_CLUSTER];
  return socketOf[a] === socketOf[b] ? cost[TRANSFER_SOCKET] : cost[TRANSFER_REMOTE];
}

/**
 * Nanoseconds until the farthest of a set of CPUs has answered.
 * @param mask,at the set: machine.maskWords words of `mask` from `at`
 */
export function farthest(cpu: number, mask: Int32Array, at: number): number {
  const words = machine.maskWords;
  let beyondCluster = 0;
  let beyondSocket = 0;
  for (let w = 0; w < words; w++) {
    beyondCluster |= mask[at + w] & ~inCluster[cpu * words + w];
    beyondSocket |= mask[at + w] & ~inSocket[cpu * words + w];
  }
  if (beyondSocket !== 0) return cost[TRANSFER_REMOTE];
  return beyondCluster === 0 ? cost[TRANSFER_CLUSTER] : cost[TRANSFER_SOCKET];
}
