/** observed.ts — a machine with a known past: three types, blocks of several sizes, frees on other CPUs. */
import type { BootOptions } from '../../src/host/options.js';
import { type Inside, inside } from './inside.js';

export interface Observed {
  m: Inside;
  /** addresses by name */
  types: Record<'devbuf' | 'temp' | 'unused', number>;
}

/**
 * devbuf: 10 blocks of 100 bytes and one of 5000, all on CPU 0, three of them freed on the last CPU.
 * temp: 5 of 16 bytes on CPU 0, 5 of 3000 on the last CPU, the latter freed on CPU 0. unused: nothing.
 */
export async function observed(options: BootOptions = {}): Promise<Observed> {
  const m = await inside({ cpus: 2, alloc: 'freebsd', ...options });
  const last = m.ncpu - 1;
  const types = {
    devbuf: m.mallocTypeCreate('devbuf'), temp: m.mallocTypeCreate('temp'), unused: m.mallocTypeCreate('unused'),
  };
  const take = (size: number, type: number, count: number) =>
    Array.from({ length: count }, () => m.kmalloc(size, type, m.M_WAITOK));
  const small = take(100, types.devbuf, 10);
  take(5000, types.devbuf, 1);
  m.on(last, () => {
    for (const block of small.slice(0, 3)) m.kfree(block, types.devbuf);
  });
  take(16, types.temp, 5);
  const large = m.on(last, () => take(3000, types.temp, 5));
  for (const block of large) m.kfree(block, types.temp);
  return { m, types };
}
