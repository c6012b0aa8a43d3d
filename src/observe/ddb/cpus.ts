/** cpus.ts — `show pcpu`, `show registers`, `cpu`: what a CPU knows of itself. */
import { SB_INTR, SB_PANIC, SB_PANIC_CPU } from '../../hw/superblock.layout.js';
import { INTR_IDLE, INTR_PENDING, INTR_WORDS } from '../../hw/intr.layout.js';
import {
  GD_CSQ, GD_IPIMASK, GD_IPIQ_COUNT, GD_IPIQ_DONE, GD_ONLINE, GD_RUNNING, GLOBALDATA,
} from '../../kern/globaldata.layout.js';
import type { Memory } from '../memory.js';
import { spelled } from '../spelling.js';
import { cpuOf, type DdbCommand, hex, noMore } from './command.js';

function fieldLine(memory: Memory, gd: number, name: string, word: number): string {
  const counter = word >= GD_IPIQ_COUNT && word <= GD_IPIQ_DONE;
  const value = counter ? memory.f64[(gd + word) >>> 1]! : memory.i32[gd + word]!;
  const shown = name === 'GD_WCHAN' || word === GD_IPIMASK ? hex(value) : String(value);
  return `  ${spelled(name).padEnd(18)} ${shown.padStart(12)}`;
}

function showPcpu(memory: Memory, cpu: number): string[] {
  const gd = memory.gd(cpu);
  const intr = (memory.sb(SB_INTR) >>> 2) + cpu * INTR_WORDS;
  const { i32 } = memory;
  const state = [
    i32[gd + GD_ONLINE] === 0 ? 'offline' : 'online',
    i32[gd + GD_RUNNING] === 0 ? 'in no phase' : 'in a phase',
    ...(i32[intr + INTR_IDLE] === 0 ? [] : ['halted']),
    ...(memory.sb(SB_PANIC) !== 0 && memory.sb(SB_PANIC_CPU) === cpu ? ['it panicked'] : []),
  ];
  const fields = Object.entries(GLOBALDATA.fields).filter(([, word]) => word < GD_CSQ);
  return [
    `cpu${cpu} globaldata ${hex(gd * 4)}: ${state.join(', ')}; interrupts pending ${hex(i32[intr + INTR_PENDING]!)}`,
    ...fields.sort(([, a], [, b]) => a - b).map(([name, word]) => fieldLine(memory, gd, name, word)),
  ];
}

export const SHOW_PCPU: DdbCommand = {
  name: 'show pcpu', args: '[CPU]', doc: 'globaldata of a CPU, of the selected one',
  run(memory, args, state) {
    noMore('show pcpu', args, 1);
    return showPcpu(memory, args[0] === undefined ? state.cpu : cpuOf(memory, 'show pcpu', args[0]));
  },
};

export const SHOW_REGISTERS: DdbCommand = {
  ...SHOW_PCPU, name: 'show registers', doc: 'the same: these CPUs have no registers but their globaldata',
};

export const CPU: DdbCommand = {
  name: 'cpu', args: '[CPU]', doc: 'select a CPU, or say which is selected',
  run(memory, args, state) {
    noMore('cpu', args, 1);
    if (args[0] !== undefined) state.cpu = cpuOf(memory, 'cpu', args[0]);
    return [`cpu${state.cpu} of 0-${memory.ncpu - 1}`];
  },
};
