/** thread_time.ts — CPU time of the calling thread: what a virtual CPU really got of the host's cores. */
import { readFileSync } from 'node:fs';

const NAP = new Int32Array(new SharedArrayBuffer(4));

/** @returns milliseconds, or null where the host does not tell */
export function threadCpuMs(): number | null {
  const usage = (process as { threadCpuUsage?: () => { user: number; system: number } }).threadCpuUsage?.();
  if (usage) return (usage.user + usage.system) / 1000;
  try {
    // the scheduler books a thread's time when it leaves the core: a moment's sleep makes the figure current
    Atomics.wait(NAP, 0, 0, 0.01);
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6;
  } catch {
    return null;
  }
}
