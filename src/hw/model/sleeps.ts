/** sleeps.ts — what a CPU sleeps for: the line of its sleep channel (kern/sleep.ts). */
import { i32 } from '../heap.js';
import { NOW, since, t, waitLine } from './cpus.js';
import { addLineWait, SLEEP_NS, spent } from './tally.js';

/** word of each CPU's GD_WCHAN, which kern/ knows */
let channels: readonly number[] = [];

export function setChannels(words: readonly number[]): void {
  channels = words;
}

export function sleepsFrom(cpu: number): void {
  const channel = i32[channels[cpu]];
  waitLine[cpu] = channel >>> 6;
}

/** The CPU has been woken. */
export function slept(cpu: number): void {
  const ns = t[NOW] - since[cpu];
  spent[SLEEP_NS] += ns;
  if (waitLine[cpu] !== 0) addLineWait(waitLine[cpu], ns);
}
