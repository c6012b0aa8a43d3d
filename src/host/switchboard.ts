/**
 * switchboard.ts — the few words of a machine the host writes while it runs: the panic record when a CPU has died, the
 * stop word, the clock tick. Same protocols as kern/panic.ts and hw/intr.layout.ts, from outside.
 */
import { INTR_IDLE, INTR_PENDING, INTR_STOP, INTR_TICK, INTR_WORDS } from '../hw/intr.layout.js';
import {
  SB_EXCEPTION, SB_EXCEPTION_BYTES, SB_INTR, SB_NRUNNING, SB_PANIC, SB_PANIC_A, SB_PANIC_B, SB_PANIC_CPU, SB_STOP,
  SB_UPTIME,
} from '../hw/superblock.layout.js';
import { GD_IPIMASK, GD_IPIMASK_WORDS, GD_ONLINE, GD_RUNNING } from '../kern/globaldata.layout.js';
import type { Memory } from '../observe/memory.js';

export class Switchboard {
  readonly #memory: Memory;
  readonly #started = performance.now();

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Records a panic found by the host, unless the machine has its own already, and stops it. */
  panic(code: number, cpu: number, a: number, b: number, exception = ''): void {
    const { i32, u8 } = this.#memory;
    if (Atomics.compareExchange(i32, SB_PANIC, 0, code) === 0) {
      Atomics.store(i32, SB_PANIC_CPU, cpu);
      Atomics.store(i32, SB_PANIC_A, a);
      Atomics.store(i32, SB_PANIC_B, b);
      const text = new TextEncoder().encode(exception).subarray(0, SB_EXCEPTION_BYTES);
      u8.set(text, SB_EXCEPTION * 4 + 4);
      i32[SB_EXCEPTION] = text.length;
    }
    this.stop();
  }

  /** Every CPU leaves at its next look; sleepers are rung. */
  stop(): void {
    Atomics.store(this.#memory.i32, SB_STOP, 1);
    for (let cpu = 0; cpu < this.#memory.ncpu; cpu++) this.#raise(cpu, INTR_STOP);
  }

  get stopped(): boolean {
    return Atomics.load(this.#memory.i32, SB_STOP) !== 0;
  }

  /**
   * time_uptime, and hardclock on every CPU that is in a phase, and on an idle one that has messages: passive ones rang
   * no bell.
   */
  tick(): void {
    Atomics.store(this.#memory.i32, SB_UPTIME, Math.floor((performance.now() - this.#started) / 1000));
    for (let cpu = 0; cpu < this.#memory.ncpu; cpu++) {
      const running = this.#memory.i32[this.#memory.gd(cpu) + GD_RUNNING] !== 0;
      if (running || this.#hasMessages(cpu)) this.#raise(cpu, INTR_TICK);
    }
  }

  /** Has the CPU come up, and neither detached nor died? */
  isOnline(cpu: number): boolean {
    return Atomics.load(this.#memory.i32, this.#memory.gd(cpu) + GD_ONLINE) !== 0;
  }

  /** A CPU that died takes no more messages and counts as running no longer. */
  bury(cpu: number): void {
    const gd = this.#memory.gd(cpu);
    Atomics.store(this.#memory.i32, gd + GD_ONLINE, 0);
    if (this.#memory.i32[gd + GD_RUNNING] !== 0) Atomics.sub(this.#memory.i32, SB_NRUNNING, 1);
    this.#memory.i32[gd + GD_RUNNING] = 0;
  }

  #hasMessages(cpu: number): boolean {
    const mask = this.#memory.gd(cpu) + GD_IPIMASK;
    for (let word = 0; word < GD_IPIMASK_WORDS; word++) if (this.#memory.i32[mask + word] !== 0) return true;
    return false;
  }

  #raise(cpu: number, bits: number): void {
    const { i32 } = this.#memory;
    const line = (i32[SB_INTR]! >>> 2) + cpu * INTR_WORDS;
    Atomics.or(i32, line + INTR_PENDING, bits);
    if (Atomics.load(i32, line + INTR_IDLE) !== 0) Atomics.notify(i32, line + INTR_PENDING);
  }
}
