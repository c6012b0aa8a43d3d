/**
 * mi_startup.ts — a CPU comes up, and goes.
 *
 * CPU 0 of a machine builds the kernel in the formatted memory (pages, then the allocator); the others wait for it, so
 * that no CPU ever meets a half-built list. Follows FreeBSD's mi_startup by role.
 * Every bundle that runs a CPU has this module, and with it all functions an IPI message may name.
 */
import { add, load, notify, store, wait } from '../hw/atomics.js';
import { curcpu } from '../hw/curcpu.js';
import { i32 } from '../hw/heap.js';
import { SB_BOOTED } from '../hw/superblock.layout.js';
import { mycpu } from '../kern/globaldata.js';
import { GD_CPUID, GD_ONLINE } from '../kern/globaldata.layout.js';
import { checkStop } from '../kern/panic.js';
import '../kern/lwkt_cpusync.js';
import { vmPhysInit } from '../vm/vm_phys.js';
import { splzWaiting } from '../kern/splz.js';
import { kmeminit, offline } from './allocator.js';

/** Makes this isolate CPU `curcpu` of its machine. */
export function cpuStartup(): void {
  if (curcpu === 0) {
    vmPhysInit();
    kmeminit();
  } else {
    while (load(SB_BOOTED) === 0) {
      wait(SB_BOOTED, 0, 50);
      checkStop();
    }
  }
  i32[mycpu() + GD_CPUID] = curcpu;
  store(mycpu() + GD_ONLINE, 1);
  add(SB_BOOTED, 1);
  notify(SB_BOOTED);
}

/** Gives back what this CPU hoards and stops taking messages. Its zones stay, owned by nobody who runs. */
export function cpuOffline(): void {
  splzWaiting();
  offline();
  store(mycpu() + GD_ONLINE, 0);
  splzWaiting();
}
