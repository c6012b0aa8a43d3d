/** run.ts — one CPU's part in a sample, on a thread of its own: takes the place of stepped/run.ts. */
import { INTR_PENDING, INTR_STOP, INTR_WORDS } from '../intr.layout.js';
import { i32 } from '../heap.js';
import { SB_INTR } from '../superblock.layout.js';
import { asCpu, switchCpu } from '../stepped/curcpu.js';
import { cpuOf, layout, layOut, type Modes, type Operation, type Program } from '../stepped/entity.js';
import { execution, fail } from '../stepped/failure.js';
import { begin, goLive } from './access.js';
import { ENDLESS, HANG, meeting } from './meeting.js';

const INTR = i32[SB_INTR] >>> 2;

let programs: readonly Program[] = [];
let serve: Operation = () => undefined;
export const results: unknown[][] = [];
export const texts = { panic: (): string => 'panic' };
/** of the thread under way: before which access of which operation it is held up, and for how long */
export const window = { thread: -1, operation: -1, access: 0, hold: 0 };

export function prepare(
  threads: readonly Program[], ncpu: number, service: Operation, critical: readonly number[], modes: Modes,
): void {
  programs = threads;
  serve = service;
  layOut(threads, ncpu, critical, modes);
}

/** The operations of CPU `cpu`: its threads one after the other, as an isolate cannot switch between them. */
export function play(cpu: number, order: readonly number[]): void {
  switchCpu(cpu);
  meeting.begin();
  goLive(true);
  try {
    for (const e of order) if (cpuOf[e] === cpu) thread(e);
  } catch (error) {
    failed(error, cpu);
  }
}

function thread(e: number): void {
  const { operations } = programs[e];
  const list = results[e];
  list.length = 0;
  for (let n = 0; n < operations.length; n++) {
    const here = window.thread === e && window.operation === n;
    begin(here ? window.access : 0, window.hold);
    list.push(operations[n]());
    meeting.progress();
    if (execution.failure !== null) return;
  }
}

/** Serves the interrupts that are pending now. */
export function service(cpu: number): void {
  if (execution.failure !== null || !pending(cpu)) return;
  begin(0, 0);
  try {
    serve();
    meeting.progress();
  } catch (error) {
    failed(error, cpu);
  }
}

export function pending(cpu: number): boolean {
  return (Atomics.load(i32, INTR + cpu * INTR_WORDS + INTR_PENDING) & ~INTR_STOP) !== 0;
}

function failed(error: unknown, cpu: number): void {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (error === HANG) {
    const lost = pending(cpu);
    const what = lost ? 'and nobody rings for the interrupt that is pending' : 'and nobody else gets anywhere';
    fail({ cls: lost ? 'lost-wakeup' : 'deadlock', message: `cpu${cpu} waits, ${what}`, cpu, step: 0 });
  } else if (error === ENDLESS) fail({ cls: 'livelock', message, cpu, step: 0 });
  else if (name === 'KernelPanic') fail({ cls: 'panic', message: texts.panic(), cpu, step: 0 });
  else fail({ cls: 'exception', message: `${name}: ${message}`, cpu, step: 0 });
}

/** Every interrupt that is pending on any CPU is served, by this thread: all others are parked. */
export function settle(): void {
  for (let round = 0; round < 8; round++) {
    let found = false;
    for (let cpu = 0; cpu < layout.ncpu; cpu++) {
      if (!pending(cpu)) continue;
      found = true;
      asCpu(cpu, () => service(cpu));
    }
    if (!found) return;
  }
}

export { asCpu };
export { shareMarks } from './marked.js';
export { emptyLog, logLength, shareLog } from './log.js';
export { goLive, meeting };
