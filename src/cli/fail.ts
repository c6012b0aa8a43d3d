/** fail.ts — --fail RATE[,type=NAME][,cpu=N]: mallocs that are made to fail. */
import type { AllocName } from '../base/policy.js';
import type { MallocFailure } from '../host/fail_malloc.js';
import { UsageError } from './exit.js';

const MOST = 0x7fffffff;
const FORM = 'expected RATE[,type=NAME][,cpu=N], such as 10 or 100,type=temp,cpu=1';

/**
 * @param cpus of the machine
 * @throws UsageError naming the value and what would be right
 */
export function failure(value: unknown, alloc: readonly AllocName[] | null, cpus: number): MallocFailure | null {
  if (value === undefined) return null;
  const [rate = '', ...narrow] = String(value).split(',');
  const parsed: { rate: number; type?: string; cpu?: number } = { rate: whole(rate, 'RATE', 1, MOST) };
  for (const part of narrow) {
    const [, name, text] = /^(type|cpu)=(.+)$/.exec(part) ?? [];
    if (name === 'type') parsed.type = text!;
    else if (name === 'cpu') parsed.cpu = whole(text!, 'cpu', 0, cpus - 1);
    else throw new UsageError(`--fail: '${part}' is not usable; ${FORM}`);
  }
  const others = (alloc ?? ['dragonfly']).filter((name) => name !== 'freebsd');
  if (others.length > 0) {
    throw new UsageError(`--fail: ${others.join(', ')} does not fail on demand; expected --alloc freebsd beside it`);
  }
  return parsed;
}

function whole(text: string, what: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  const range = `a whole number from ${least} to ${most}`;
  throw new UsageError(`--fail: ${what} ${JSON.stringify(text)} is not usable; expected ${range}`);
}
