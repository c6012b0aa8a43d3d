/**
 * lwkt_cpusync.ts — every other CPU stands still while this one acts.
 *
 * Follows   DragonFly sys/kern/lwkt_ipiq.c: lwkt_cpusync_simple, _interlock, _deinterlock, _remote1, _remote2.
 *
 *   leader                         others
 *     CS_WAITING = n, send remote1   acknowledge (CS_WAITING--), then requeue remote2 on their own ring:
 *     wait for CS_WAITING == 0       they go round lwkt_process_ipiq and do nothing else
 *     ... alone ...
 *     CS_WAITING = n, CS_FUNC = f    see CS_FUNC, call it, acknowledge
 *     wait for CS_WAITING == 0       go on
 *
 * The leader may not clear CS_FUNC before the last acknowledgement, which comes after the last read of it.
 * A CPU leads one rendezvous at a time; two leaders hold each other and both proceed (as in the kernel: an interlock
 * keeps out everybody but another leader).
 */
import { D_R50 } from '../base/defects.js';
import { IPIF_CPUSYNC_REMOTE1, IPIF_CPUSYNC_REMOTE2, IPIF_NONE } from '../base/ipif.js';
import { A_CS_NESTED } from '../base/panics.js';
import { add, load, store } from '../hw/atomics.js';
import { curcpu } from '../hw/curcpu.js';
import { defect } from '../hw/defect.js';
import { f64, i32 } from '../hw/heap.js';
import { intrRaise } from '../hw/intr.js';
import { INTR_IPIQ } from '../hw/intr.layout.js';
import { critEnter, critExit } from './critical.js';
import { globaldataFind, mycpu, NCPU } from './globaldata.js';
import {
  GD_CS_DATA, GD_CS_FUNC, GD_CS_WAITING, GD_CSCOUNT, GD_IPIQ_CSCOUNT, GD_ONLINE,
} from './globaldata.layout.js';
import { cpusyncRequeue, ipiqCall, ipiqRegister, lwktProcessIpiq, lwktSendIpiq } from './lwkt_ipiq.js';
import { kassert } from './panic.js';
import { cpuPause } from './pause.js';

declare const DEFECTS: boolean;

const R50 = DEFECTS && defect(D_R50);

/** Stops all other CPUs. Every interlock needs its lwktCpusyncDeinterlock, on the same CPU. */
export function lwktCpusyncInterlock(): void {
  const gd = mycpu();
  critEnter();
  if (i32[gd + GD_CSCOUNT] !== 0) kassert(A_CS_NESTED, gd << 2);
  i32[gd + GD_CSCOUNT]++;
  f64[(gd + GD_IPIQ_CSCOUNT) >>> 1]++;
  store(gd + GD_CS_FUNC, IPIF_NONE);
  store(gd + GD_CS_WAITING, othersOnline());
  for (let cpu = 0; cpu < NCPU; cpu++) {
    if (cpu !== curcpu && isOnline(cpu)) lwktSendIpiq(cpu, IPIF_CPUSYNC_REMOTE1, curcpu, 0);
  }
  waitForAcks(gd);
}

/** Lets them go again, after each has called `func(data)` (a number of base/ipif). */
export function lwktCpusyncDeinterlock(func: number, data: number): void {
  const gd = mycpu();
  store(gd + GD_CS_DATA, data);
  store(gd + GD_CS_WAITING, othersOnline());
  store(gd + GD_CS_FUNC, func);
  waitForAcks(gd);
  i32[gd + GD_CSCOUNT]--;
  // rendezvous of other leaders were put off while we led
  intrRaise(curcpu, INTR_IPIQ);
  critExit();
}

/** Runs `func(data)` on every CPU while all are stopped. */
export function lwktCpusyncSimple(func: number, data: number): void {
  lwktCpusyncInterlock();
  ipiqCall(func, data, 0);
  lwktCpusyncDeinterlock(func, data);
}

/** Attaching and detaching CPUs do it outside a rendezvous, so the set cannot change under a leader. */
function isOnline(cpu: number): boolean {
  return load(globaldataFind(cpu) + GD_ONLINE) !== 0;
}

function othersOnline(): number {
  let others = 0;
  for (let cpu = 0; cpu < NCPU; cpu++) if (cpu !== curcpu && isOnline(cpu)) others++;
  return others;
}

function waitForAcks(gd: number): void {
  for (let spins = 0; load(gd + GD_CS_WAITING) !== 0; spins++) {
    lwktProcessIpiq();
    cpuPause(spins);
  }
}

function remote1(leader: number): void {
  add(globaldataFind(leader) + GD_CS_WAITING, -1);
  if (R50) holdStill(leader);
  else cpusyncRequeue(IPIF_CPUSYNC_REMOTE2, leader);
}

/** R50: waits in the handler for the leader's word, and serves nobody meanwhile, not even another leader. */
function holdStill(leader: number): void {
  for (let spins = 0; load(globaldataFind(leader) + GD_CS_FUNC) === IPIF_NONE; spins++) cpuPause(spins);
  remote2(leader);
}

function remote2(leader: number): void {
  const gd = globaldataFind(leader);
  const func = load(gd + GD_CS_FUNC);
  if (func === IPIF_NONE) {
    cpusyncRequeue(IPIF_CPUSYNC_REMOTE2, leader);
    return;
  }
  ipiqCall(func, load(gd + GD_CS_DATA), 0);
  add(gd + GD_CS_WAITING, -1);
}

ipiqRegister(IPIF_CPUSYNC_REMOTE1, remote1);
ipiqRegister(IPIF_CPUSYNC_REMOTE2, remote2);
