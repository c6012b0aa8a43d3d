/**
 * panic.ts — the machine stops itself.
 *
 * The first CPU to swap SB_PANIC from 0 owns the record; it writes the arguments, raises SB_STOP, then rings every CPU.
 * A reader that sees SB_STOP = 1 may therefore read the whole record. Nothing ever clears it: the memory is evidence.
 *
 * Runs in any context.
 */
import { KernelPanic } from '../base/errors.js';
import { P_EXCEPTION, P_KKASSERT } from '../base/panics.js';
import { cas, load, store } from '../hw/atomics.js';
import { curcpu } from '../hw/curcpu.js';
import { i32, u8 } from '../hw/heap.js';
import { intrRaise } from '../hw/intr.js';
import { INTR_STOP } from '../hw/intr.layout.js';
import {
  SB_EXCEPTION, SB_PANIC, SB_PANIC_A, SB_PANIC_B, SB_PANIC_C, SB_PANIC_CPU, SB_PANIC_D, SB_STOP,
} from '../hw/superblock.layout.js';
import { NCPU } from './globaldata.js';

/**
 * @param code P_* of base/panics, which has the text
 * @throws KernelPanic always; it unwinds this CPU to its phase loop
 */
export function panic(code: number, a = 0, b = 0, c = 0, d = 0): never {
  if (cas(SB_PANIC, 0, code)) {
    store(SB_PANIC_CPU, curcpu);
    store(SB_PANIC_A, a);
    store(SB_PANIC_B, b);
    store(SB_PANIC_C, c);
    store(SB_PANIC_D, d);
    stopCpus();
  }
  throw new KernelPanic(code);
}

/**
 * An exception in the code a CPU was given. Its text belongs to the record: only the CPU that owns that writes it.
 * @param text UTF-8, SB_EXCEPTION_BYTES at most
 */
export function panicException(text: ArrayLike<number>): never {
  if (cas(SB_PANIC, 0, P_EXCEPTION)) {
    store(SB_PANIC_CPU, curcpu);
    for (let n = 0; n < text.length; n++) u8[SB_EXCEPTION * 4 + 4 + n] = text[n];
    i32[SB_EXCEPTION] = text.length;
    stopCpus();
  }
  throw new KernelPanic(P_EXCEPTION);
}

/** The KKASSERT that failed, by number (A_* of base/panics), and the address it is about. */
export function kassert(assertion: number, address: number): never {
  panic(P_KKASSERT, assertion, address);
}

/** Tells every CPU to leave, sleeping ones too. */
export function stopCpus(): void {
  store(SB_STOP, 1);
  for (let cpu = 0; cpu < NCPU; cpu++) intrRaise(cpu, INTR_STOP);
}

/** @throws KernelPanic when the machine has stopped, whoever stopped it */
export function checkStop(): void {
  if (load(SB_STOP) !== 0) throw new KernelPanic(load(SB_PANIC));
}
