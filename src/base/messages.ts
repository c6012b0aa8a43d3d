/** messages.ts — what the kernel prints without stopping (kern/subr_prf.ts), by number. %s is the text kept with it. */
import { formatText, type PanicNames } from './panics.js';

export const MSG_BAD_FLAGS = 1;
export const MSG_LEAKED = 2;
export const MSG_KEG_NOT_EMPTY = 3;
export const MSG_KMEM_SIZE_OLD = 4;
export const MSG_UNALIGNED = 5;
export const MSG_DUPLICATE = 6;
export const MSG_FORCING_NOWAIT = 7;
export const MSG_MODIFIED = 8;

const MESSAGES: Readonly<Record<number, string>> = {
  [MSG_BAD_FLAGS]: 'Bad malloc flags: %h',
  [MSG_LEAKED]: 'Warning: memory type %s leaked memory on destroy (%d allocations, %d bytes leaked).',
  [MSG_KEG_NOT_EMPTY]: 'Freed UMA keg was not empty (%d items).  Lost %d pages of memory.',
  [MSG_KMEM_SIZE_OLD]: 'kern.vm.kmem.size is now called vm.kmem_size!',
  [MSG_UNALIGNED]: 'zone: %Z slab %p freed address %p unaligned.',
  [MSG_DUPLICATE]: 'Slab at %p, freei %d = %d.',
  [MSG_FORCING_NOWAIT]: 'malloc(M_WAITOK) of "%s", forcing M_NOWAIT',
  [MSG_MODIFIED]: 'Memory modified after free %p(%d) val=%h @ %p',
};

/** One line of the message buffer. @param text what was kept with the message */
export function messageText(code: number, args: readonly number[], text: string, names: PanicNames): string {
  return formatText((MESSAGES[code] ?? `message ${code}`).replace('%s', () => text), args, names);
}
