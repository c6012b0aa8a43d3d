/** thread_time.ts — CPU time of the calling thread: what a virtual CPU really got of the host's cores. */
import { readFileSync } from 'node:fs';

/** @returns milliseconds, or null where the host does not tell */
export function threadCpuMs(): number | null {
  const usage = (process as { threadCpuUsage?: () => { user: number; system: number } }).threadCpuUsage?.();
  if (usage) return (usage.user + usage.system) / 1000;
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6;
  } catch {
    return null;
  }
}
