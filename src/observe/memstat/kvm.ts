/** kvm.ts — a machine's memory as libkvm shows a kernel's: may it be read, is the symbol there, does the list end. */
import { SmpallocError } from '../../base/errors.js';
import { Memory } from '../memory.js';
import { readable } from '../peek.js';
import { MEMSTAT_ERROR_KVM, MEMSTAT_ERROR_KVM_NOSYMBOL } from './list.js';

/** @param symbol word of the superblock that says where to begin @returns the memory, or the error */
export function kvmOpen(heap: Memory | SharedArrayBuffer | ArrayBuffer, symbol: number): Memory | number {
  let memory: Memory;
  try {
    memory = heap instanceof Memory ? heap : new Memory(heap);
  } catch (cause) {
    if (SmpallocError.is(cause)) return MEMSTAT_ERROR_KVM;
    throw cause;
  }
  return memory.sb(symbol) === 0 ? MEMSTAT_ERROR_KVM_NOSYMBOL : memory;
}

/** Does the last link of a walked list lead out of the memory? One that leads back into the list only ends it. */
export function linksAway(memory: Memory, link: number, walked: readonly number[], bytes: number): boolean {
  return link !== 0 && !walked.includes(link) && !readable(memory, link, bytes);
}
