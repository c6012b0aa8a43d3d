/**
 * vm_page.ts — pages for kernel memory: take, give back, wait.
 *
 * Follows   FreeBSD/DragonFly vm_page.c by role: vm_page_alloc, vm_page_free, vm_wait. One mutex.
 *
 *   vmWait: a CPU without memory counts itself in VM_WAITERS, looks once more, sleeps. Whoever frees pages wakes all
 *   sleepers if there are any. A machine in which every running CPU waits, and whose interrupts bring nothing back,
 *   panics and says so: nobody is left who could free.
 *
 * Runs in   vmPagesAlloc, vmPagesFree: any context; the mutex is a spin mutex, held in a critical section, so that a
 *           handler never meets it held by the thread it interrupted. vmWait: thread context.
 */
import { P_ALL_WAIT } from '../base/panics.js';
import { add, load, racy } from '../hw/atomics.js';
import { curcpu } from '../hw/curcpu.js';
import { i32 } from '../hw/heap.js';
import { SB_NRUNNING, SB_VM } from '../hw/superblock.layout.js';
import { critEnter, critExit } from '../kern/critical.js';
import { globaldataFind, NCPU } from '../kern/globaldata.js';
import { GD_RUNNING, GD_WCHAN } from '../kern/globaldata.layout.js';
import { mtxLock, mtxUnlock } from '../kern/kern_mutex.js';
import { panic } from '../kern/panic.js';
import { tsleep, tsleepAbort, tsleepInterlock, wakeup } from '../kern/sleep.js';
import { VM_FREE_COUNT, VM_FREE_MTX, VM_WAITERS, VM_WIRE_COUNT, VM_WIRE_PEAK } from './vm_page.layout.js';
import { vmPhysAllocContig, vmPhysFreeContig, vmPhysIsZero } from './vm_phys.js';

const VM = i32[SB_VM] >>> 2;
/** vm_pages_needed, the channel */
const WCHAN = (VM + VM_WAITERS) << 2;
/** a sleeper looks around this often; so many looks at an unchanged, all-waiting machine are a deadlock */
const WAIT_MS = 50;
const DEADLOCK_LOOKS = 4;
/** the same where the others sleep on something else: they might be timed sleepers, so it is watched for 2 s */
const ASLEEP_LOOKS = 40;

/**
 * @param npages length of the run; it is aligned to the next power of two
 * @returns first page, 0 when there is no such run. Bit 31 set: every byte is known to be zero.
 */
export function vmPagesAlloc(npages: number): number {
  critEnter();
  mtxLock(VM + VM_FREE_MTX);
  const page = vmPhysAllocContig(npages);
  let result = page;
  if (page !== 0) {
    const wired = i32[VM + VM_WIRE_COUNT] + npages;
    i32[VM + VM_WIRE_COUNT] = wired;
    if (wired > i32[VM + VM_WIRE_PEAK]) i32[VM + VM_WIRE_PEAK] = wired;
    if (vmPhysIsZero(page)) result |= KNOWN_ZERO;
  }
  mtxUnlock(VM + VM_FREE_MTX);
  critExit();
  return result;
}

/** Flag in vmPagesAlloc's result. */
export const KNOWN_ZERO = 0x80000000 | 0;

/** Gives a run back and wakes whoever waits for memory. */
export function vmPagesFree(page: number, npages: number): void {
  critEnter();
  mtxLock(VM + VM_FREE_MTX);
  vmPhysFreeContig(page, npages);
  i32[VM + VM_WIRE_COUNT] -= npages;
  mtxUnlock(VM + VM_FREE_MTX);
  critExit();
  if (load(VM + VM_WAITERS) !== 0) wakeup(WCHAN);
}

/** Pages free at about this moment: read without the mutex, so it may be old. */
export function vmFreeCount(): number {
  return racy(VM + VM_FREE_COUNT);
}

/**
 * Sleeps until pages may have come back, at most WAIT_MS.
 * @param freeBefore vmFreeCount() when the allocation failed
 * @param looks how often the caller has waited already
 * @returns looks for the next call: 0 after anything changed
 */
export function vmWait(freeBefore: number, looks: number): number {
  add(VM + VM_WAITERS, 1);
  tsleepInterlock(WCHAN);
  const changed = vmFreeCount() !== freeBefore;
  if (changed) tsleepAbort();
  const woken = changed || tsleep(WAIT_MS);
  if (!woken && looks >= DEADLOCK_LOOKS) panicIfStuck(looks);
  add(VM + VM_WAITERS, -1);
  return woken ? 0 : looks + 1;
}

/** Nobody is left who could free: every running CPU waits for memory, or sleeps and has slept through all the looks. */
function panicIfStuck(looks: number): void {
  const waiting = load(VM + VM_WAITERS);
  const all = waiting >= load(SB_NRUNNING) || (looks >= ASLEEP_LOOKS && othersAsleep());
  if (all) panic(P_ALL_WAIT, waiting, vmFreeCount());
}

function othersAsleep(): boolean {
  for (let cpu = 0; cpu < NCPU; cpu++) {
    const gd = globaldataFind(cpu);
    if (racy(gd + GD_RUNNING) !== 0 && load(gd + GD_WCHAN) === 0 && cpu !== curcpu) return false;
  }
  return true;
}
