/** ddb.ts — the debugger on a machine in the test's own thread. */
import { SmpallocError } from '../../src/base/errors.js';
import type { BootOptions } from '../../src/host/options.js';
import { ddb, ddbState } from '../../src/observe/ddb/ddb.js';
import type { Memory } from '../../src/observe/memory.js';
import { type Inside, inside } from './inside.js';

export interface Debugged {
  readonly m: Inside;
  readonly types: { readonly temp: number; readonly devbuf: number };
  /** live: by who allocated them */
  readonly blocks: { readonly temp: readonly number[]; readonly devbuf: readonly number[]; readonly large: number };
  /** freed again by the other CPU */
  readonly freed: number;
  run(line: string): string[];
  text(line: string): string;
}

/** Two types, seven live blocks, two of them large; one block freed by the other CPU. */
export async function debugged(options: BootOptions = {}): Promise<Debugged> {
  const m = await inside({ ktr: 256, ...options });
  const types = { temp: m.mallocTypeCreate('temp'), devbuf: m.mallocTypeCreate('devbuf') };
  const temp = [64, 64, 1000].map((size) => m.kmalloc(size, types.temp, m.M_WAITOK));
  const devbuf = m.on(1, () => [64, 200, 100_000].map((size) => m.kmalloc(size, types.devbuf, m.M_WAITOK)));
  const large = m.kmalloc(50_000, types.temp, m.M_WAITOK);
  const freed = m.kmalloc(64, types.temp, m.M_WAITOK);
  m.on(1, () => m.kfree(freed, types.temp));
  const state = ddbState(m.memory);
  const run = (line: string) => ddb(m.memory, line, state);
  return { m, types, blocks: { temp, devbuf, large }, freed, run, text: (line) => run(line).join('\n') };
}

/** 'ESMP_INPUT what was wrong', or 'accepted'. */
export function refusalOf(memory: Memory, line: string): string {
  try {
    ddb(memory, line);
  } catch (error) {
    if (!SmpallocError.is(error)) throw error;
    return `${error.code} ${error.message}`;
  }
  return 'accepted';
}

export const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;
