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
  defects: ['R47'],
  expect: { verdict: 'pass', with: { R47: 'lost-wakeup' } },
});

const R48 = scenario<Counting>('R48', {
  ...secondMessage,
  title: 'the release of npoll waits in the store buffer while ipimask is looked at',
  origin: 'DragonFly lwkt_ipiq.c: cpu_mfence after atomic_poll_release_int',
  memory: 'tso',
  races: false,
  rules: false,
  defects: ['R48'],
  expect: { verdict: 'pass', with: { R48: 'lost-wakeup' } },
});

const R49 = scenario<{ block: number; func: number }>('R49', {
  title: 'a sender waits for its message and frees what the message is about, while the function still reads it',
  origin: 'DragonFly lwkt_ipiq.c lwkt_wait_ipiq: ip_xindex, not ip_rindex',
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
