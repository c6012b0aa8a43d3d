/** cpusync.ts — scenarios of a CPU that holds all others still. */
import type { Setup } from '../kit.js';
import { type Scenario, scenario } from '../scenario.js';

interface Sync {
  /** what every CPU does while all stand still */
  readonly func: number;
  readonly count: number;
}

function sync(k: Setup): Sync {
  const [count] = k.words(1);
  return { count: count!, func: k.handler((c) => void c.add(count!, 1)) };
}

const R50 = scenario<Sync>('R50', {
  title: 'two CPUs lead a rendezvous at once, and each holds the other',
  origin: 'DragonFly lwkt_ipiq.c: lwkt_cpusync_remote1 requeues and goes on serving',
  lesson: {
    kernel: 'DragonFly',
    story: [
      'A leader stops all other CPUs (cpusync): each gets a message, answers, and waits until it is let go.',
      "Two CPUs lead at once. cpu0 waits for cpu1's answer, and serves messages meanwhile: there is one from cpu1.",
      'So cpu0 answers, and waits inside of that handler until cpu1 lets it go. cpu1 does the same for cpu0.',
      'Each has its answer, and neither comes back to where it would go on: each is held by the other, for ever.',
      'It takes two rendezvous at the same moment: rare, until many CPUs change mappings all the time.',
    ],
    fix: 'The handler does not wait: lwkt_cpusync_remote1 queues what is left to do (gd_cpusyncq), ' +
      'and the CPU goes on serving. Here: lwkt_cpusync.ts.',
  },
  machine: { fifo: 4 },
  cpus: ['leader', 'leader'],
  setup: sync,
  cpu: { leader: (k, { func }) => [k.op('cpusync', (c) => c.engine.engine.lwktCpusyncSimple(func, 0))] },
  after: (view, { count }) => view.i32[count] === 4 || `the function ran ${view.i32[count]} times, not 4`,
  defects: ['R50'],
  expect: { verdict: 'pass', with: { R50: 'deadlock' } },
});

const cpusync = scenario<readonly number[]>('cpusync', {
  title: 'a leader reads two words that another CPU only ever changes together',
  origin: 'generic',
  machine: { fifo: 4 },
  cpus: ['leader', 'worker'],
  setup: (k) => k.words(2),
  cpu: {
    leader: (k, [a, b]) => [
      k.op('interlock, look', (c) => {
        c.engine.engine.lwktCpusyncInterlock();
        if (c.ld(a!) !== c.ld(b!)) c.fail('invariant', 'the worker was not held');
        c.engine.engine.lwktCpusyncDeinterlock(1, 0);
      }),
    ],
    worker: (k, [a, b]) => [
      k.op('change both', (c) =>
        c.crit(() => {
          c.st(a!, 1);
          c.st(b!, 1);
        })),
    ],
  },
  expect: { verdict: 'pass' },
});

export const cpusyncs: readonly Scenario[] = [R50, cpusync];
