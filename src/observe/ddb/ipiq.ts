/** ipiq.ts — `show ipiq`: the message queues between CPUs, and what still lies in them. */
import * as IPIF from '../../base/ipif.js';
import { GD_IPIMASK, GD_NPOLL } from '../../kern/globaldata.layout.js';
import { IP_DEPTH, IP_RINDEX, IP_WINDEX, IP_XINDEX } from '../../kern/lwkt_ipiq.layout.js';
import type { Memory } from '../memory.js';
import { ipiqAt, pendingIn } from '../ipiq.js';
import { columns, type DdbCommand, hex, noMore } from './command.js';

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(IPIF).filter(([name]) => name !== 'IPIF_MAX').map(([name, value]) => [value, name] as const),
);

const WIDTHS = [-10, 10, 10, 10, 6, 8];

function showIpiq(memory: Memory): string[] {
  const lines = [columns(WIDTHS, ['queue', 'windex', 'rindex', 'xindex', 'depth', 'pending'])];
  for (let source = 0; source < memory.ncpu; source++) {
    for (let target = 0; target < memory.ncpu; target++) lines.push(...queueLines(memory, source, target));
  }
  if (lines.length === 1) lines.push('no message was ever sent');
  for (let cpu = 0; cpu < memory.ncpu; cpu++) {
    const gd = memory.gd(cpu);
    lines.push(`cpu${cpu} gd_npoll ${memory.i32[gd + GD_NPOLL]}, gd_ipimask ${hex(memory.i32[gd + GD_IPIMASK]!)}`);
  }
  return lines;
}

function queueLines(memory: Memory, source: number, target: number): string[] {
  const ip = ipiqAt(memory, source, target);
  const at = (word: number) => memory.i32[ip + word]!;
  if (at(IP_WINDEX) === 0 && at(IP_RINDEX) === 0) return [];
  const pending = pendingIn(memory, source, target);
  const indices = [IP_WINDEX, IP_RINDEX, IP_XINDEX].map((word) => at(word) >>> 0);
  return [
    columns(WIDTHS, [`${source}->${target}`, ...indices, at(IP_DEPTH), pending.length]),
    ...pending.map(({ func, arg1, arg2 }) => `    ${NAMES.get(func) ?? `func ${func}`} ${hex(arg1)} ${hex(arg2)}`),
  ];
}

export const SHOW_IPIQ: DdbCommand = {
  name: 'show ipiq', args: '', doc: 'message queues that were used, and the messages in them',
  run(memory, args) {
    noMore('show ipiq', args, 0);
    return showIpiq(memory);
  },
};
