/** vcpu.ts — entry point of a worker that is a virtual CPU for the machine's life. */
import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { CpuApi } from '../src/base/protocol.js';
import { threadCpuMs } from '../src/host/thread_time.js';
import { cpuStartup } from '../src/workload/mi_startup.js';
import { idleLoop } from '../src/workload/idle.js';
import { runPhase } from '../src/workload/run-phase.js';

if (!parentPort) throw new Error('vcpu.js is a worker: boot() starts it');

cpuStartup();
const api: CpuApi = {
  async run(call) {
    const before = threadCpuMs();
    const result = await runPhase(call);
    return result.ok ? { ...result, cpuMs: before === null ? null : threadCpuMs()! - before } : result;
  },
};
expose(api, nodeEndpoint(parentPort));
void idleLoop(() => {});
