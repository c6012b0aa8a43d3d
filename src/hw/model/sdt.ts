/** sdt.ts — hw/sdt.ts for modelled CPUs: who frees whose blocks. */
import { i32 } from '../heap.js';
import { live } from './access.js';
import { machine } from './costs.js';
import { again, keep, length, me, pos, V_PROBE } from './log.js';

/** remote frees by CPU that freed, and owner; ncpu x ncpu */
export const remote = { frees: new Uint32Array(1) };

export function remoteReset(): void {
  remote.frees = new Uint32Array(machine.ncpu * machine.ncpu);
}

export function sdtRemoteFree(owner: number): void {
  if (pos < length) {
    again(V_PROBE);
    return;
  }
  if (!live) return;
  remote.frees[me * machine.ncpu + i32[owner]]++;
  keep(V_PROBE, 0);
}
