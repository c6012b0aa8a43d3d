/** events.ts — `show ktr`, `show panic`, `show msgbuf`: what happened. */
import { SB_KTR_ENTRIES } from '../../hw/superblock.layout.js';
import { messageRecords } from '../msgbuf.js';
import { ktrTail, panicRecord, panicReport } from '../panic_report.js';
import { countOf, cpuOf, type DdbCommand, noMore } from './command.js';

const KTR_DEFAULT = 32;
const KTR_MOST = 1 << 20;

export const SHOW_KTR: DdbCommand = {
  name: 'show ktr', args: '[COUNT] [CPU]', doc: `last events of each CPU, or of one; ${KTR_DEFAULT} of each`,
  run(memory, args) {
    noMore('show ktr', args, 2);
    const count = args[0] === undefined ? KTR_DEFAULT : countOf('show ktr', 'COUNT', args[0], 1, KTR_MOST);
    if (memory.sb(SB_KTR_ENTRIES) === 0) return ['ktr is off: the machine was booted without the option ktr'];
    const cpus = args[1] === undefined
      ? Array.from({ length: memory.ncpu }, (_, cpu) => cpu)
      : [cpuOf(memory, 'show ktr', args[1])];
    return cpus.flatMap((cpu) => ktrTail(memory, cpu, count)).slice(1);
  },
};

export const SHOW_PANIC: DdbCommand = {
  name: 'show panic', args: '', doc: 'why the machine stopped, and the structures it is about',
  run(memory, args) {
    noMore('show panic', args, 0);
    return panicRecord(memory) ? panicReport(memory, 0) : ['no panic'];
  },
};

export const SHOW_MSGBUF: DdbCommand = {
  name: 'show msgbuf', args: '', doc: 'what the kernel printed',
  run(memory, args) {
    noMore('show msgbuf', args, 0);
    const lines = messageRecords(memory).map(({ cpu, text }) => `cpu${cpu}: ${text}`);
    return lines.length > 0 ? lines : ['the kernel printed nothing'];
  },
};
