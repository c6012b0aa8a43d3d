/**
 * worker.mjs — a worker that became a CPU: it allocates and frees in the shared heap without a lock of its own.
 *
 *   a node │ next │ value │        two 32-bit words; next is the address of another node, or 0
 */
import { parentPort } from 'node:worker_threads';
import { attach, M_WAITOK } from 'smpalloc/vcpu';

const NEXT = 0;
const VALUE = 1;
const NODE_BYTES = 8;

const vcpu = await attach();
const { i32, kmalloc, kfree } = vcpu;
const M_NODE = vcpu.mallocType('node');

const tasks = {
  /** @returns the address of the first node */
  build(nodes) {
    let head = 0;
    for (let value = nodes; value > 0; value--) {
      const node = kmalloc(NODE_BYTES, M_NODE, M_WAITOK);
      i32[(node >>> 2) + NEXT] = head;
      i32[(node >>> 2) + VALUE] = value;
      head = node;
    }
    return head;
  },

  walk(head) {
    let count = 0;
    let sum = 0;
    for (let node = head; node !== 0; node = i32[(node >>> 2) + NEXT]) {
      count++;
      sum += i32[(node >>> 2) + VALUE];
    }
    return { count, sum };
  },

  /** frees every node, whoever allocated it */
  free(head) {
    for (let node = head; node !== 0; ) {
      const next = i32[(node >>> 2) + NEXT];
      kfree(node, M_NODE);
      node = next;
    }
  },

  /** stops being a CPU; nothing keeps the worker alive after this */
  detach() {
    vcpu.detach();
    setImmediate(() => parentPort.close());
  },
};

parentPort.on('message', ({ what, args }) => parentPort.postMessage(tasks[what](...args)));
parentPort.postMessage('attached');
