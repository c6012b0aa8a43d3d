/** ipi.ts — scenarios of messages between CPUs: queues that fill, interrupts nobody raised, functions under way. */
import type { Setup } from '../kit.js';
import { type Scenario, scenario } from '../scenario.js';

interface Counting {
  /** a handler that counts its messages */
  readonly func: number;
  readonly count: number;
}

function counting(k: Setup): Counting {
  const [count] = k.words(1);
  return { count: count!, func: k.handler((c) => void c.add(count!, 1)) };
}

/** Leaves `messages` passive messages from one CPU to another: more than half a queue of 4 with 3. */
function preload(k: Setup, from: number, to: number, func: number, messages: number): void {
  k.on(from, (c) => {
    for (let n = 0; n < messages; n++) c.sendPassive(to, func);
  });
}

const executed = (messages: number) => (view: { i32: Int32Array }, s: Counting) =>
  view.i32[s.count] === messages || `${view.i32[s.count]} messages executed, ${messages} were sent`;

const R45 = scenario<Counting>('R45', {
  title: 'a queue full of passive messages: its target was never told, and the sender waits for room',
  origin: 'DragonFly lwkt_ipiq.c lwkt_send_ipiq3: the interrupt moved into the wait loop',
  lesson: {
    kernel: 'DragonFly',
    story: [
      'A passive message raises no interrupt: the target reads it when it looks for some other reason.',
      'An idle CPU has 3 of them in its queue of 4, and was told of none. Now somebody has a message that is urgent.',
      'More than half of the queue is taken, so the sender waits until no more than a quarter is; then it would ring.',
      'The target sleeps, because nobody rings. Nobody rings, because the target does not read. It waits for ever.',
      'It takes half a queue of frees with no other interrupt in between: a consumer beside an idle producer.',
    ],
    fix: 'The interrupt is raised inside the loop that waits for room (DragonFly lwkt_send_ipiq3). ' +
      'Here: lwkt_ipiq.ts I2.',
  },
  machine: { fifo: 4 },
  cpus: ['target', 'sender'],
  setup(k) {
    const s = counting(k);
    preload(k, 1, 0, s.func, 3);
    return s;
  },
  cpu: {
    target: () => [],
    sender: (k, { func }) => [k.op('send', (c) => c.send(0, func))],
  },
  after: executed(4),
  defects: ['R45'],
  expect: { verdict: 'pass', with: { R45: 'deadlock' } },
});

const R46 = scenario<Counting>('R46', {
  title: 'two CPUs wait for room in each other\'s queue',
  origin: 'DragonFly lwkt_ipiq.c lwkt_send_ipiq3: lwkt_process_ipiq inside the wait loop',
  lesson: {
    kernel: 'DragonFly',
    story: [
      'cpu0 sends to cpu1, finds 3 messages in a queue of 4, and waits for cpu1 to read some of them.',
      'At the same time cpu1 sends to cpu0, finds 3 as well, and waits for cpu0.',
      'Each would read its queue if it were not waiting for the other to read. Neither moves again: a deadlock.',
      'A full queue is a lock that its reader holds, though nobody calls it one. Two of them in a circle are enough.',
      'It takes much traffic both ways at once, and therefore comes on the busiest day.',
    ],
    fix: 'Who waits for room serves his own queues meanwhile: lwkt_process_ipiq inside the wait loop ' +
      'of lwkt_send_ipiq3. Here: lwkt_ipiq.ts I2.',
  },
  machine: { fifo: 4 },
  cpus: ['sender', 'sender'],
  setup(k) {
    const s = counting(k);
    preload(k, 0, 1, s.func, 3);
    preload(k, 1, 0, s.func, 3);
    return s;
  },
  cpu: { sender: (k, { func }, index) => [k.op('send', (c) => c.send(1 - index, func))] },
  after: executed(8),
  defects: ['R46'],
  expect: { verdict: 'pass', with: { R46: 'deadlock' } },
});

/** One message is on its way and its interrupt is up: npoll is 1. A second one is sent. */
const secondMessage = {
  machine: { fifo: 4 },
  cpus: ['target', 'sender'],
  setup(k: Setup): Counting {
    const s = counting(k);
    k.on(1, (c) => c.send(0, s.func));
    return s;
  },
  cpu: {
    target: () => [],
    sender: (k: Setup, { func }: Counting) => [k.op('send', (c) => c.send(0, func))],
  },
  after: executed(2),
};

const R47 = scenario<Counting>('R47', {
  ...secondMessage,
  title: 'a message is published between "queue empty" and the release of npoll, which saves its interrupt',
  origin: 'DragonFly lwkt_ipiq.c lwkt_process_ipiq: gd_ipimask is looked at again',
  lesson: {
    kernel: 'DragonFly',
    story: [
      'npoll 1 says: an interrupt is up or its handler still runs, so nobody has to raise another. That saves most.',
      'The handler has read its queue to the end, and is about to set npoll to 0.',
      'A sender comes in between: it publishes its message (ip_windex 1 to 2), sees npoll 1, and raises nothing.',
      'The handler sets npoll to 0 and returns. There is a message in the queue that nobody has been told of.',
      'It waits until somebody sends the next one. On a busy system that is soon: a pause that nobody explains.',
    ],
    fix: 'When npoll has been released the handler reads gd_ipimask again, and begins anew if there ' +
      'is a bit (lwkt_process_ipiq). Here: lwkt_ipiq.ts I3.',
  },
  defects: ['R47'],
  expect: { verdict: 'pass', with: { R47: 'lost-wakeup' } },
});

const R48 = scenario<Counting>('R48', {
  ...secondMessage,
  title: 'the release of npoll waits in the store buffer while ipimask is looked at',
  origin: 'DragonFly lwkt_ipiq.c: cpu_mfence after atomic_poll_release_int',
  lesson: {
    kernel: 'DragonFly',
    story: [
      'R47 is mended: the handler sets npoll to 0, and then looks at gd_ipimask once more. Here by a plain store.',
      'A store waits in the store buffer of its CPU for a while, and later loads do not wait for it.',
      'So the handler looks at gd_ipimask (0) and returns, and npoll is still 1 for all others. A sender sets its',
      'bit, sees npoll 1, and raises nothing. Then the 0 leaves the buffer. The message is lost, as in R47.',
      'Every x86 has store buffers. The source reads well; the order of its lines is not the order of their effects.',
    ],
    fix: 'A full barrier between the store and the look: cpu_mfence in DragonFly; here npoll is ' +
      'released by an atomic store (lwkt_ipiq.ts).',
  },
  memory: 'tso',
  races: false,
  rules: false,
  defects: ['R48'],
  expect: { verdict: 'pass', with: { R48: 'lost-wakeup' } },
});

const R49 = scenario<{ block: number; func: number }>('R49', {
  title: 'a sender waits for its message and frees what the message is about, while the function still reads it',
  origin: 'DragonFly lwkt_ipiq.c lwkt_wait_ipiq: ip_xindex, not ip_rindex',
  lesson: {
    kernel: 'DragonFly',
    story: [
      'cpu0 sends cpu1 a function that reads a block, waits until that is done, and frees the block.',
      'A queue has two cursors: ip_rindex moves when a message is copied out, ip_xindex when its function returns.',
      'cpu0 waits for ip_rindex. It goes from 0 to 1 before the function runs: cpu0 frees the block too early.',
      "The function reads a block that is free, or somebody else's by now. Nothing fails; what it has read is wrong.",
      "'Received' and 'done' are two things, and who frees has to wait for the second.",
    ],
    fix: 'lwkt_wait_ipiq waits for ip_xindex, and compares by the sign of a difference, since cursors ' +
      'wrap. Here: lwkt_ipiq.ts I4.',
  },
  machine: { fifo: 4 },
  cpus: ['sender', 'target'],
  setup: (k) => ({
    block: k.zone(64, { owner: 0, chunks: 2 }).chunk[0]!,
    func: k.handler((c, block) => void c.read(block, 1)),
  }),
  cpu: {
    sender: (k, { block, func }) => [
      k.op('send, wait, kfree', (c) => {
        c.write(block, 7, 1);
        c.waitIpiq(1, c.send(1, func, block));
        c.kfree(block);
      }),
    ],
    target: () => [],
  },
  defects: ['R49'],
  expect: { verdict: 'pass', with: { R49: 'use-after-free' } },
});

/** messages that a queue of 16 takes before lwkt_send_ipiq_nowait refuses */
const TWO_THIRDS = 11;

const R51 = scenario<Counting>('R51', {
  title: 'handlers that wait for room serve their queue, whose handlers wait for room',
  origin: 'DragonFly lwkt_ipiq.c: "lwkt_send_ipiq: TOO HEAVILY NESTED!"',
  lesson: {
    kernel: 'DragonFly',
    story: [
      'A CPU that waits for room serves its own queues meanwhile: that is what mended R46.',
      'A handler it runs there may send, too. It waits for room and serves the queues: a handler in a handler.',
      '11 messages wait for cpu0, and each handler answers into the queue that is full. They nest, each on the stack',
      'of the one before, until the kernel panics: TOO HEAVILY NESTED! Without that the stack would overflow.',
      'It takes handlers that answer, and a target that is slow.',
    ],
    fix: 'A limit that panics before the stack is gone; and a handler sends by lwkt_send_ipiq_nowait, ' +
      'which may be refused. Here: lwkt_ipiq.ts, depth 20.',
  },
  machine: { fifo: 16 },
  cpus: ['busy', 'slow'],
  setup(k) {
    const s = counting(k);
    const [replies] = k.words(1);
    const reply = k.handler((c) => {
      c.add(replies!, 1);
      if (k.defect('R51')) c.send(1, s.func);
      else c.sendNowait(1, s.func);
    });
    k.on(1, (c) => {
      for (let n = 0; n < TWO_THIRDS; n++) c.sendNowait(0, reply);
    });
    preload(k, 0, 1, s.func, 9);
    return s;
  },
  cpu: {
    busy: (k, { func }) => [k.op('send', (c) => c.send(1, func))],
    slow: () => [],
  },
  casFails: Number.POSITIVE_INFINITY,
  defects: ['R51'],
  expect: { verdict: 'pass', with: { R51: 'panic' } },
});

const ipiLost = scenario<readonly number[]>('ipi-lost', {
  title: 'a sleeper looks at its work, and then says that it sleeps; nobody rings',
  origin: 'generic',
  lesson: {
    kernel: 'generic',
    story: [
      'An idle CPU looks for work, says that it sleeps, and sleeps. A waker leaves work and wakes who sleeps.',
      'It looks: no work, scratch[0]. Now the waker stores it, finds nobody asleep, scratch[1], and wakes nobody.',
      'Then the sleeper says that it sleeps, and does. Work lies there, and both believe that all is well.',
      'It is the oldest bug of waiting: in idle loops, in condition variables, in R40 and R47.',
      "It takes one instruction's time, and ends with a hang that the next interrupt of any kind would end.",
    ],
    fix:
      'Say that you sleep, look once more, and only then sleep. Each side says first, and looks afterwards.',
  },
  cpus: ['sleeper', 'waker'],
  setup: (k) => k.words(2),
  cpu: {
    sleeper: (k, [work, idle]) => [
      k.op('sleep', (c) => {
        if (k.defect('early-look')) {
          if (c.load(work!) !== 0) return;
          c.store(idle!, 1);
        } else {
          c.store(idle!, 1);
          if (c.load(work!) !== 0) return;
        }
        c.wait(idle!, 1);
      }),
    ],
    waker: (k, [work, idle]) => [
      k.op('wake', (c) => {
        c.store(work!, 1);
        if (c.xchg(idle!, 0) === 1) c.notify(idle!);
      }),
    ],
  },
  interrupts: false,
  defects: ['early-look'],
  expect: { verdict: 'pass', with: { 'early-look': 'deadlock' } },
});

export const ipis: readonly Scenario[] = [R45, R46, R47, R48, R49, R51, ipiLost];
