/** watches.ts — the lines a parked CPU's wait loop reads: a write to one of them ends its wait. */
import { machine } from './costs.js';
import { pos, turnAt, words } from './log.js';

/** lines a turn may read and be parked all the same; one that reads more goes on turning */
const MOST = 64;
let watched = new Int32Array(0);
let count = new Int32Array(0);

export function makeWatches(): void {
  watched = new Int32Array(machine.ncpu * MOST);
  count = new Int32Array(machine.ncpu);
}

/**
 * Watches the lines of the turn in the log.
 * @param held asks whether the CPU still has a line: one that was taken since it was read may have changed
 * @returns false when the turn has to be made again
 */
export function watchTurn(cpu: number, held: (line: number) => boolean): boolean {
  const base = cpu * MOST;
  let n = 0;
  for (let at = turnAt; at < pos; at++) {
    const line = words[at] >>> 4;
    if (words[at] < 0 || known(base, n, line)) continue;
    if (n === MOST || !held(line)) return false;
    watched[base + n++] = line;
  }
  count[cpu] = n;
  return true;
}

function known(base: number, n: number, line: number): boolean {
  for (let k = 0; k < n; k++) if (watched[base + k] === line) return true;
  return false;
}

export function watches(cpu: number, line: number): boolean {
  return known(cpu * MOST, count[cpu], line);
}
