/** attached.mjs — a worker of a user's own: becomes a CPU, then does what it is asked to. */
import { parentPort, workerData } from 'node:worker_threads';
import { attach, M_NOWAIT, M_WAITOK } from 'smpalloc/vcpu';

const vcpu = await attach();

const answers = {
  allocate(size, count) {
    const type = vcpu.mallocType('attached');
    vcpu.engine.kmallocRaiseLimit(type, 0);
    return Array.from({ length: count }, () => vcpu.kmalloc(size, type, M_WAITOK));
  },
  /** the same, with 0 where there was no memory */
  tryAllocate(size, count) {
    const type = vcpu.mallocType('attached');
    return Array.from({ length: count }, () => vcpu.kmalloc(size, type, M_NOWAIT));
  },
  free(blocks) {
    const type = vcpu.mallocType('attached');
    for (const block of blocks) vcpu.kfree(block, type);
  },
  /** sleeps on a channel nobody wakes, which halts this CPU */
  sleep(ms) {
    vcpu.engine.tsleepInterlock(64);
    vcpu.engine.tsleep(ms);
  },
  /** the same, and what it has in its own hands goes before it can be seen */
  freeAndDetach(blocks) {
    answers.free(blocks);
    vcpu.detach();
  },
  detach: () => vcpu.detach(),
  exit(code) {
    setImmediate(() => process.exit(code));
  },
  /** the port was all that kept the worker alive */
  end() {
    setImmediate(() => parentPort.close());
  },
  attachAgain: () => attach(workerData.smpalloc).then(() => 'attached', (error) => error.message),
  flood(target, count) {
    for (let n = 0; n < count; n++) vcpu.engine.lwktSendIpiqPassive(target, 1, 0, 0);
  },
};

parentPort.on('message', async ({ what, args }) => {
  try {
    parentPort.postMessage({ value: await answers[what](...args) });
  } catch (error) {
    parentPort.postMessage({ error: error.message });
  }
});
parentPort.postMessage('attached');
