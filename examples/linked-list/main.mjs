/**
 * main.mjs — two workers of your own share a heap: one builds a list in it, the other walks the list and frees it.
 *
 * Run: node examples/linked-list/main.mjs
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { boot } from 'smpalloc';

const NODES = 10_000;

// one CPU of the machine's own, to audit with, and two for our workers
const machine = await boot({ cpus: 1, attach: 2, memory: '64MiB' });

/** Starts a worker that becomes a CPU of the machine. */
async function start(name) {
  const ticket = machine.ticket();
  const worker = new Worker(new URL('worker.mjs', import.meta.url), { name, workerData: { smpalloc: ticket } });
  // from here on the worker's death is the machine's business: nobody waits for it in vain
  machine.adopt(worker, ticket);
  await once(worker, 'message');
  console.log(`${name} is CPU ${ticket.cpu}`);
  return {
    async ask(what, ...args) {
      worker.postMessage({ what, args });
      const [answer] = await once(worker, 'message');
      return answer;
    },
  };
}

const builder = await start('builder');
const reader = await start('reader');

// an address is a number: that is all the workers have to tell each other
const head = await builder.ask('build', NODES);
console.log(`builder made a list of ${NODES} nodes at 0x${head.toString(16)}`);

const { count, sum } = await reader.ask('walk', head);
console.log(`reader walked ${count} nodes, their values add up to ${sum}`);

await reader.ask('free', head);
console.log(`reader freed them: ${machine.sysctl('kern.slab.remote_frees')} blocks went home to the builder,`);

// detaching sends home what is still under way
await reader.ask('detach');
await builder.ask('detach');
console.log(`in ${machine.sysctl('kern.slab.cas_tries')} swaps and ${machine.sysctl('kern.slab.signals')} messages`);

const audit = await machine.audit();
console.log(`audit: ${audit.violations.length} violations, ${audit.blocks} blocks in use`);
await machine.stop();
process.exitCode = audit.violations.length === 0 && audit.blocks === 0 ? 0 : 1;
