/** curcpu.ts — the CPU that executes now. Natively an isolate is one CPU for life; stepped, the scheduler sets it. */
import { ticket } from './bind.js';

export const curcpu: number = ticket.cpu;
