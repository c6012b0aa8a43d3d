/** uma_structures.ts — the structures of UMA that an address is or lies in, written out: what a panic is about. */
import type { StructDescription } from '../base/struct.js';
import * as U from '../freebsd/uma_int.layout.js';
import type { Memory } from './memory.js';
import { peek, peekText } from './peek.js';
import { findSlab, isLarge, kegZones, umaKegs } from './walk_uma.js';

/** Zone, keg or slab header of each address, none twice. */
export function umaStructures(memory: Memory, addresses: readonly number[]): string[][] {
  const found = new Map<number, string[]>();
  const add = (description: StructDescription, at: number, name: string) => {
    if (at !== 0 && !found.has(at)) found.set(at, lines(memory, description, at, name));
  };
  const keg = (at: number) => add(U.UMA_KEG, at, peekText(memory, at + U.UK_NAME * 4, U.UMA_NAME_BYTES));
  const kegs = umaKegs(memory);
  const zones = kegs.flatMap((one) => kegZones(memory, one));
  for (const address of addresses) {
    if (zones.includes(address)) {
      add(U.UMA_ZONE, address, peekText(memory, address + U.UZ_NAME * 4, U.UMA_NAME_BYTES));
      keg(peek(memory, address, U.UZ_KEG));
    } else if (kegs.includes(address)) keg(address);
    else {
      const slab = findSlab(memory, address);
      if (!slab) continue;
      add(U.UMA_SLAB, slab.slab, '');
      if (!isLarge(memory, slab.slab)) keg(slab.keg);
    }
  }
  return [...found.values()];
}

function lines(memory: Memory, { name, fields }: StructDescription, address: number, called: string): string[] {
  const title = `${name} 0x${address.toString(16)}${called === '' ? '' : ` "${called}"`}`;
  const words = Object.entries(fields).filter(([field]) => !/_NAME$/.test(field)).map(([field, word]) => {
    const value = peek(memory, address, word);
    return `  ${field.padEnd(16)} ${String(value).padStart(12)}  0x${(value >>> 0).toString(16)}`;
  });
  return [title, ...words];
}
