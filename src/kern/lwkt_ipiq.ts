/**
 * lwkt_ipiq.ts — messages between CPUs: run this function there.
 *
 * Follows   DragonFly sys/kern/lwkt_ipiq.c (2012 form: gd_ipimask, gd_npoll): lwkt_send_ipiq3, _passive, _nowait,
 *           lwkt_process_ipiq, lwkt_wait_ipiq, lwkt_synchronize_ipiqs.
 *
 *   source                                          target
 *     fifo more than half full? wait for room  ◄──    (serving its own queues meanwhile)
 *     write the slot                                 ip_rindex++        slot free again
 *     ip_windex++   publish                    ──►   call func(arg1, arg2)
 *     ipimask |= me                                  ip_xindex = ip_rindex   done
 *     npoll 0 -> 1 ?  raise the interrupt            npoll = 0, then look at ipimask again
 *
 * Rules
 *   I1  a passive message is published like any other but raises nothing: it is served with the next interrupt of any
 *       kind, at the latest the clock tick.
 *   I2  a sender that waits for room serves its own queues, or two CPUs with full queues would wait for ever (R46), and
 *       it raises an urgent interrupt, or passive messages could fill a queue nobody was told of (R45).
 *   I3  ipimask is read again after npoll was released, or a message published in between would sleep (R47).
 *   I4  a function is done at ip_xindex, not at ip_rindex (R49). A handler that waits serves its queue recursively,
 *       what was in it before included, or two handlers that wait for each other's queues would wait for ever; the
 *       cursor moves when the outermost handler of the queue has returned.
 *   I5  a message to a CPU that is not up, or has detached, is dropped: nobody would serve it, and its queue would
 *       fill.
 *
 * Runs in   any context; sends in a critical section of its own. Handlers run inside one.
 * Differs   the kernel's cursors are plain words with fences; Atomics are stronger than both.
 * See       docs/design/ipi-queues.md
 */
import { D_R45, D_R46, D_R47, D_R48, D_R49 } from '../base/defects.js';
import { IPIF_ACK, IPIF_MAX } from '../base/ipif.js';
import { A_IPIF_BOUND, A_IPIQ_USED, P_IPIQ_NESTED, P_WAIT_IPIQ } from '../base/panics.js';
import { cas, load, or, store, xchg } from '../hw/atomics.js';
import { curcpu } from '../hw/curcpu.js';
import { defect } from '../hw/defect.js';
import { f64, i32 } from '../hw/heap.js';
import { intrRaise } from '../hw/intr.js';
import { INTR_IPIQ, INTR_URGENT } from '../hw/intr.layout.js';
import { SB_IPIQ, SB_IPIQ_FIFO, SB_IPIQ_TIMEOUT } from '../hw/superblock.layout.js';
import { nowMs } from '../hw/time.js';
import { globaldataFind, mycpu, NCPU } from './globaldata.js';
import {
  GD_CRIT, GD_CSCOUNT, GD_CSQ, GD_CSQ_ENTRIES, GD_CSR, GD_CSW, GD_IPIMASK, GD_IPIQ_AVOIDED, GD_IPIQ_COUNT, GD_IPIQ_DONE,
  GD_IPIQ_FIFOFULL, GD_IPIQ_INTR, GD_IPIQ_PASSIVE, GD_IPIQ_RUNS, GD_NESTING, GD_NPOLL, GD_ONLINE,
} from './globaldata.layout.js';
import { KTR, ktr } from './ktr.js';
import { KTR_IPIQ_RECEIVE, KTR_IPIQ_SEND } from './ktr.layout.js';
import {
  INFO_ARG1, INFO_ARG2, INFO_FUNC, INFO_WORDS, IP_DEPTH, IP_INFO, IP_RINDEX, IP_WINDEX, IP_XINDEX, ipiqBytes,
} from './lwkt_ipiq.layout.js';
import { kassert, panic } from './panic.js';
import { cpuPause } from './pause.js';

declare const INVARIANTS: boolean;
declare const DEFECTS: boolean;

const MAXCPUFIFO = i32[SB_IPIQ_FIFO];
const FIFO_MASK = MAXCPUFIFO - 1;
const IPIQS = i32[SB_IPIQ] >>> 2;
const IPIQ_WORDS = ipiqBytes(MAXCPUFIFO) >>> 2;
const MASK_WORDS = (NCPU + 31) >>> 5;
const MAX_NESTING = 20;
/** messages a queue can hold by the rules: half and one more, or what lwktSendIpiqNowait leaves */
const MOST_USED = Math.max((MAXCPUFIFO >>> 1) + 1, Math.ceil((MAXCPUFIFO * 2) / 3));
const R45 = DEFECTS && defect(D_R45);
const R46 = DEFECTS && defect(D_R46);
const R47 = DEFECTS && defect(D_R47);
const R48 = DEFECTS && defect(D_R48);
const R49 = DEFECTS && defect(D_R49);
/** the cursor that says a function has returned (I4) */
const IP_DONE = R49 ? IP_RINDEX : IP_XINDEX;

export type IpiFunc = (arg1: number, arg2: number) => void;
/** lwkt_send_ipiq3_nowait: the queue is two thirds full */
export const ENOENT = -2;

/**
 * One table an isolate, not one a bundle: a CPU may be running a phase's copy of this code when it sends and its event
 * loop's copy when it serves.
 */
const IPIFUNCS = Symbol.for('smpalloc.ipifuncs');
const isolate = globalThis as { [IPIFUNCS]?: IpiFunc[] };
isolate[IPIFUNCS] ??= new Array<IpiFunc>(IPIF_MAX).fill(unbound);
const ipiFuncs: IpiFunc[] = isolate[IPIFUNCS];

/** A message that nobody executes would be a lost free. */
function unbound(): void {
  kassert(A_IPIF_BOUND, 0);
}

/** Binds a function number of base/ipif; when the module that owns it is loaded. */
export function ipiqRegister(number: number, func: IpiFunc): void {
  ipiFuncs[number] = func;
}
ipiqRegister(IPIF_ACK, () => {});

/** Word index of the queue from `source` to `target`. */
export function ipiqFind(source: number, target: number): number {
  return IPIQS + (source * NCPU + target) * IPIQ_WORDS;
}

/**
 * Runs `func` on `target`, with an interrupt. On this CPU itself: at once.
 * @returns sequence number for lwktWaitIpiq, 0 for this CPU
 */
export function lwktSendIpiq(target: number, func: number, arg1: number, arg2: number): number {
  if (target === curcpu) return ipiqCall(func, arg1, arg2);
  if (!isOnline(target)) return drop(target);
  const seq = queueMessage(target, func, arg1, arg2, true);
  requestInterrupt(target, INTR_IPIQ);
  finishSend();
  return seq;
}

/** The same without an interrupt (I1). */
export function lwktSendIpiqPassive(target: number, func: number, arg1: number, arg2: number): number {
  if (target === curcpu) return ipiqCall(func, arg1, arg2);
  if (!isOnline(target)) return drop(target);
  const seq = queueMessage(target, func, arg1, arg2, true);
  f64[(mycpu() + GD_IPIQ_PASSIVE) >>> 1]++;
  finishSend();
  return seq;
}

/**
 * The same as lwktSendIpiq, never waiting.
 * @returns ENOENT when the queue is two thirds full or nobody serves it, else 0
 */
export function lwktSendIpiqNowait(target: number, func: number, arg1: number, arg2: number): number {
  if (target === curcpu) return ipiqCall(func, arg1, arg2);
  if (!isOnline(target) || slotsUsed(ipiqFind(curcpu, target)) >= (MAXCPUFIFO * 2) / 3) return ENOENT;
  queueMessage(target, func, arg1, arg2, false);
  requestInterrupt(target, INTR_IPIQ);
  finishSend();
  return 0;
}

function isOnline(cpu: number): boolean {
  return load(globaldataFind(cpu) + GD_ONLINE) !== 0;
}

/** I5. @returns a sequence number that need not be waited for */
function drop(target: number): number {
  return load(ipiqFind(curcpu, target) + IP_XINDEX);
}

/** Calls a function by number on this CPU. @returns 0, the sequence number that needs no waiting */
export function ipiqCall(func: number, arg1: number, arg2: number): number {
  ipiFuncs[func](arg1, arg2);
  return 0;
}

/** Messages in a queue; right where the cursors wrap, too. */
function slotsUsed(ip: number): number {
  return (load(ip + IP_WINDEX) - load(ip + IP_RINDEX)) | 0;
}

/** Publishes the message; leaves the critical section open for finishSend. */
function queueMessage(target: number, func: number, arg1: number, arg2: number, mayWait: boolean): number {
  const gd = mycpu();
  const ip = ipiqFind(curcpu, target);
  i32[gd + GD_CRIT]++;
  if (++i32[gd + GD_NESTING] > MAX_NESTING) panic(P_IPIQ_NESTED);
  f64[(gd + GD_IPIQ_COUNT) >>> 1]++;
  if (mayWait && slotsUsed(ip) > MAXCPUFIFO >>> 1) waitForRoom(ip, target);
  const windex = load(ip + IP_WINDEX);
  const info = ip + IP_INFO + (windex & FIFO_MASK) * INFO_WORDS;
  i32[info + INFO_FUNC] = func;
  i32[info + INFO_ARG1] = arg1;
  i32[info + INFO_ARG2] = arg2;
  if (KTR) ktr(KTR_IPIQ_SEND, target, func, arg1);
  store(ip + IP_WINDEX, (windex + 1) | 0);
  or(globaldataFind(target) + GD_IPIMASK + (curcpu >>> 5), 1 << (curcpu & 31));
  return (windex + 1) | 0;
}

function finishSend(): void {
  const gd = mycpu();
  i32[gd + GD_NESTING]--;
  i32[gd + GD_CRIT]--;
}

/** The npoll interlock: one interrupt announces any number of messages. */
function requestInterrupt(target: number, bits: number): void {
  const gd = mycpu();
  if (cas(globaldataFind(target) + GD_NPOLL, 0, 1)) {
    f64[(gd + GD_IPIQ_INTR) >>> 1]++;
    intrRaise(target, bits);
  } else {
    f64[(gd + GD_IPIQ_AVOIDED) >>> 1]++;
  }
}

/** Hysteresis: half full starts the wait, a quarter ends it (I2). */
function waitForRoom(ip: number, target: number): void {
  f64[(mycpu() + GD_IPIQ_FIFOFULL) >>> 1]++;
  if (!R45) {
    requestInterrupt(target, INTR_IPIQ | INTR_URGENT);
    intrRaise(target, INTR_URGENT);
  }
  for (let spins = 0; ; ) {
    const used = slotsUsed(ip);
    if (used <= MAXCPUFIFO >>> 2) return;
    if (INVARIANTS && used > MOST_USED) kassert(A_IPIQ_USED, ip << 2);
    if (!R46) lwktProcessIpiq();
    spins = cpuPause(spins, Number.POSITIVE_INFINITY);
  }
}

/**
 * Serves every queue of this CPU until nothing is left. Inside a critical section. A rendezvous led by another CPU
 * keeps this one here until it is released, unless this CPU leads one itself: then both would wait for ever (R50).
 */
export function lwktProcessIpiq(): void {
  const gd = mycpu();
  f64[(gd + GD_IPIQ_RUNS) >>> 1]++;
  // the run this one interrupts has taken the bits of sources it is not done with; whoever waits, waits for those too
  if (++i32[gd + GD_NESTING] > 1) remindSources(gd);
  for (let spins = 0; ; spins++) {
    serveSources(gd);
    serveCpusyncq(gd);
    // a plain store may become visible after the reads below (R48)
    if (R48) i32[gd + GD_NPOLL] = 0;
    else store(gd + GD_NPOLL, 0);
    const held = i32[gd + GD_CSR] !== i32[gd + GD_CSW];
    if ((R47 || !anySource(gd)) && (!held || i32[gd + GD_CSCOUNT] !== 0)) break;
    if (held) cpuPause(spins);
  }
  i32[gd + GD_NESTING]--;
}

function anySource(gd: number): boolean {
  for (let word = 0; word < MASK_WORDS; word++) if (load(gd + GD_IPIMASK + word) !== 0) return true;
  return false;
}

/** Sets the bits of all sources that have messages here. */
function remindSources(gd: number): void {
  for (let source = 0; source < NCPU; source++) {
    if (slotsUsed(ipiqFind(source, curcpu)) > 0) or(gd + GD_IPIMASK + (source >>> 5), 1 << (source & 31));
  }
}

function serveSources(gd: number): void {
  for (let word = 0; word < MASK_WORDS; word++) {
    if (load(gd + GD_IPIMASK + word) === 0) continue;
    let sources = xchg(gd + GD_IPIMASK + word, 0);
    while (sources !== 0) {
      const bit = 31 - Math.clz32(sources & -sources);
      sources &= sources - 1;
      serveQueue(gd, ipiqFind((word << 5) + bit, curcpu), (word << 5) + bit);
    }
  }
}

/** lwkt_process_ipiq_core. Cursors are re-read from memory: a handler may have served this queue itself (I4). */
function serveQueue(gd: number, ip: number, source: number): void {
  while (slotsUsed(ip) > 0) {
    const rindex = load(ip + IP_RINDEX);
    const info = ip + IP_INFO + (rindex & FIFO_MASK) * INFO_WORDS;
    const func = i32[info + INFO_FUNC];
    const arg1 = i32[info + INFO_ARG1];
    const arg2 = i32[info + INFO_ARG2];
    store(ip + IP_RINDEX, (rindex + 1) | 0);
    if (KTR) ktr(KTR_IPIQ_RECEIVE, source, func, arg1);
    i32[ip + IP_DEPTH]++;
    ipiFuncs[func](arg1, arg2);
    const depth = --i32[ip + IP_DEPTH];
    if (depth === 0) store(ip + IP_XINDEX, load(ip + IP_RINDEX));
    f64[(gd + GD_IPIQ_DONE) >>> 1]++;
  }
}

/** Rendezvous still held requeue themselves; each is asked once a round. */
function serveCpusyncq(gd: number): void {
  const end = i32[gd + GD_CSW];
  while (i32[gd + GD_CSR] !== end) {
    const entry = gd + GD_CSQ + (i32[gd + GD_CSR]++ & (GD_CSQ_ENTRIES - 1)) * 2;
    ipiFuncs[i32[entry]](i32[entry + 1], 0);
  }
}

/** Puts a call on this CPU's own cpusync ring; from a handler only. */
export function cpusyncRequeue(func: number, arg: number): void {
  const gd = mycpu();
  const entry = gd + GD_CSQ + (i32[gd + GD_CSW]++ & (GD_CSQ_ENTRIES - 1)) * 2;
  i32[entry] = func;
  i32[entry + 1] = arg;
}

/** True when `target` has finished message `seq` of this CPU. */
export function lwktTestIpiq(target: number, seq: number): boolean {
  return target === curcpu || ((load(ipiqFind(curcpu, target) + IP_DONE) - seq) | 0) >= 0;
}

/** Waits until message `seq` has been executed; panics after the machine's IPI timeout (10 s). */
export function lwktWaitIpiq(target: number, seq: number): void {
  if (lwktTestIpiq(target, seq)) return;
  const gd = mycpu();
  const limit = nowMs() + i32[SB_IPIQ_TIMEOUT];
  i32[gd + GD_CRIT]++;
  for (let spins = 0; !lwktTestIpiq(target, seq); spins++) {
    lwktProcessIpiq();
    if ((spins & 63) === 0) {
      requestInterrupt(target, INTR_IPIQ | INTR_URGENT);
      if (nowMs() > limit) panic(P_WAIT_IPIQ, target, seq);
    }
    cpuPause(spins);
  }
  i32[gd + GD_CRIT]--;
}

/** Waits until every other CPU has executed all that this CPU sent it, passive messages included. */
export function lwktSynchronizeIpiqs(): void {
  for (let target = 0; target < NCPU; target++) {
    if (target === curcpu || !isOnline(target)) continue;
    lwktWaitIpiq(target, lwktSendIpiq(target, IPIF_ACK, 0, 0));
  }
}
