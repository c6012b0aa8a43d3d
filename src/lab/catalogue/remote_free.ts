/**
 * remote_free.ts — scenarios of chunks that another CPU frees than their zone's owner, and of what is on its way.
 */
import { IP_RINDEX, IP_WINDEX } from '../../kern/lwkt_ipiq.layout.js';
import type { ScenarioZone } from '../kit.js';
import { type Scenario, scenario } from '../scenario.js';
import { polled, underPolicy } from './variants.js';

/** four chunks a zone, the fewest there can be */
const SIZE = 7000;

const remoteFree = scenario<ScenarioZone>('remote-free', {
  title: 'the owner allocates and frees while two CPUs free chunks of its zone',
  origin: 'generic',
  cpus: ['owner', 'remote', 'remote'],
  setup: (k) => k.zone(SIZE, { owner: 0 }),
  cpu: {
    owner: (k, { chunk }) => [
      k.op('kmalloc', (c) => c.kmalloc(SIZE)),
      k.op('kfree c0', (c) => c.kfree(chunk[0]!)),
    ],
    remote: (k, { chunk }, index) => [k.op(`kfree c${index + 1}`, (c) => c.kfree(chunk[index + 1]!))],
  },
  expect: { verdict: 'pass' },
});

/** Two frees each: every class of schedules of the fixed policies can be gone through (--algo dpor). */
const remoteFree2x2 = scenario<ScenarioZone>('remote-free-2x2', {
  title: 'the owner allocates and frees while two CPUs free two chunks each of its zone',
  origin: 'generic',
  // two chunks fill a batch: with the usual 32 nobody would meet
  machine: { tunables: { 'kern.rbatch': 2 } },
  cpus: ['owner', 'remote', 'remote'],
  setup: (k) => k.zone(SIZE, { owner: 0 }),
  cpu: {
    owner: (k) => [
      k.op('kmalloc', (c) => c.kmalloc(SIZE)),
      k.op('kfree', (c) => c.kfree(c.results[0] as number)),
    ],
    remote: (k, { chunk }, index) =>
      [0, 1].map((n) => k.op(`kfree c${2 * index + n}`, (c) => c.kfree(chunk[2 * index + n]!))),
  },
  expect: { verdict: 'pass' },
});

/** The same as natively: messages are served where a CPU polls for them, not between any two accesses. */
const remoteFree2x2Polled = polled(remoteFree2x2);

const R34 = scenario<{ chunk: number; ip: number }>('R34', {
  title: 'a stale write meets the malloc type that rides in the freed chunk',
  origin: 'DragonFly kern_slaballoc.c 017ba73b (2005): "*(struct malloc_type **)ptr = type"',
  lesson: {
    kernel: 'DragonFly',
    story: [
      "In 2005 a CPU that freed another's chunk wrote the malloc type into its first word, and sent a message.",
      "The owner's handler read the type from there, and freed the chunk on its account.",
      'In between the chunk is free memory. A late write through a stale pointer, of a 0, replaces the type:',
      "the handler panics, 'free: malloc type lacks magic'. Were it the address of another type, nobody would notice,",
      'and the wrong type would be charged. Either way it shows on the owner, and who wrote is long gone.',
    ],
    fix: '5fee07e6: the freer counts by itself, and sends the zone alone. Policy ipi here sends the ' +
      'type in the message (slab_link.ts).',
  },
  machine: { free: 'ipi', fifo: 4 },
  cpus: ['owner', 'remote'],
  setup: (k) => ({
    chunk: k.zone(SIZE, { owner: 0, chunks: 2 }).chunk[0]!,
    ip: k.engine.ipiq.ipiqFind(1, 0),
  }),
  cpu: {
    // on the owner, where the handler cannot come in between: the write itself is ordered, only late
    owner: (k, { chunk, ip }) => [
      k.op('stale write', (c) =>
        c.crit(() => {
          if (c.load(ip + IP_WINDEX) !== c.load(ip + IP_RINDEX)) c.st(chunk >>> 2, 0);
        })),
    ],
    remote: (k, { chunk }) => [k.op('kfree', (c) => c.kfree(chunk))],
  },
  defects: ['R34'],
  expect: { verdict: 'pass', with: { R34: 'panic' } },
});

const R40 = scenario<ScenarioZone>('R40', {
  title: 'RSignal is read before the chunk is linked, and set in between: nobody is told, the zone is stranded',
  origin: 'ours; true of DragonFly 5fee07e6 and df9daea8 (docs/races/R40.md)',
  lesson: {
    kernel: 'DragonFly',
    story: [
      'A freer tells the owner of a zone only if the owner has asked for it: z_RSignal is 1. It reads that first: 0.',
      "Before it links its chunk the owner takes the zone's last free one, asks (z_RSignal = 1), looks (z_RChunks is",
      'empty), and takes the zone off its list. Now the freer links its chunk; it has read 0, and tells nobody.',
      'Later frees find a list that is not empty, and tell nobody either. There are free chunks; nobody will look.',
      'Each time a zone is lost until its owner frees a chunk of it: memory grows, and what is in use does not.',
    ],
    fix: 'Link first, then read z_RSignal (rsignal2); or list and signal in one word, changed by one ' +
      'swap (rtagged, rbatch). Here: slab_link.ts; rchunks and rcount have the race still.',
  },
  machine: { free: 'rsignal2' },
  cpus: ['owner', 'remote'],
  setup: (k) => k.zone(SIZE, { owner: 0, free: 1 }),
  cpu: {
    owner: (k) => [k.op('kmalloc the last chunk', (c) => c.kmalloc(SIZE))],
    remote: (k, { chunk }) => [k.op('kfree c0', (c) => c.kfree(chunk[0]!))],
  },
  defects: ['R40'],
  expect: { verdict: 'pass', with: { R40: 'lost-wakeup' } },
});

/**
 * What becomes of a zone that R40 has stranded: its freer sends a second chunk home, and when that is over the owner
 * cleans up, or frees a chunk of its own.
 */
function strandedZone(suffix: 'stays' | 'cured'): Scenario {
  const what = suffix === 'stays' ? 'slab_cleanup' : 'kfree';
  const end = suffix === 'stays' ? 'it stays off ZoneAry' : 'it is back';
  return scenario<ScenarioZone & { done: number }>(`R40-rcount-${suffix}`, {
    title: `R40 has stranded a zone; a second remote free, then the owner's ${what}: ${end}`,
    origin: 'DragonFly df9daea8',
    machine: { free: 'rcount' },
    cpus: ['owner', 'remote'],
    setup: (k) => ({ ...k.zone(SIZE, { owner: 0, free: 1 }), done: k.words(1)[0]! }),
    cpu: {
      owner: (k, { chunk, done }) => [
        k.op('kmalloc the last chunk', (c) => c.kmalloc(SIZE)),
        k.op(`${what}, later`, (c) => {
          while (c.load(done) === 0) c.pause();
          if (suffix === 'stays') c.cleanup(true);
          else c.kfree(chunk[2]!);
        }),
      ],
      remote: (k, { chunk, done }) => [
        k.op('kfree c0', (c) => c.kfree(chunk[0]!)),
        k.op('kfree c1', (c) => c.kfree(chunk[1]!)),
        k.op('say so', (c) => c.store(done, 1)),
      ],
    },
    expect: { verdict: suffix === 'stays' ? 'lost-wakeup' : 'pass' },
  });
}

const R44 = scenario<ScenarioZone>('R44', {
  title: 'two CPUs free the same chunk of a third',
  origin: 'DragonFly 5fee07e6: a chunk linked twice makes z_RChunks a ring',
  lesson: {
    kernel: 'DragonFly',
    story: [
      'Two CPUs free the same chunk, which belongs to a third. Which chunks are free is known to the owner alone.',
      'The first links the chunk: the list is c. The second links it once more, c behind c: the list is a ring.',
      'Both frees return, and all seems well, until the owner takes the list home. With checks it panics there:',
      "'memory chunk is already free', on a CPU that freed nothing. Without checks it goes round the ring for ever.",
      "The mistake is the program's, and not the allocator's. What can be asked of an allocator is that it says so.",
    ],
    fix: 'None where there are no checks: a bit for each chunk would cost each free a locked operation.',
  },
  machine: { free: 'rtagged' },
  cpus: ['owner', 'remote', 'remote'],
  setup: (k) => k.zone(SIZE, { owner: 0, chunks: 3 }),
  cpu: {
    owner: () => [],
    remote: (k, { chunk }, index) => [
      k.op('kfree', (c) => c.kfree(chunk[k.defect('R44') ? 0 : index]!)),
    ],
  },
  defects: ['R44'],
  expect: { verdict: 'pass', with: { R44: 'double-free' } },
});

const R52 = scenario<{ type: number; chunk: number }>('R52', {
  title: 'a malloc type goes while a free of it is under way',
  origin: 'DragonFly kern_slaballoc.c malloc_uninit: lwkt_synchronize_ipiqs("muninit")',
  lesson: {
    kernel: 'DragonFly',
    story: [
      'cpu1 frees a chunk of a zone of cpu0. The message, which names the malloc type, lies in the queue.',
      'Then cpu1 removes the type, as when a module is unloaded: malloc_uninit clears its record.',
      "When cpu0 reads the message it frees for a type that is gone: panic, 'free: malloc type lacks magic'.",
      'Where the record has been made a new type meanwhile nothing panics, and the new one is charged.',
      'All frees had returned before the type went. That a free has returned does not say that it has happened.',
    ],
    fix: 'malloc_uninit waits first until all that was sent is executed: ' +
      'lwkt_synchronize_ipiqs("muninit"). Here: krealloc.ts.',
  },
  machine: { free: 'ipi', signalDelay: 'tick', fifo: 4 },
  cpus: ['owner', 'remote'],
  setup(k) {
    const type = k.malloctype('going');
    return { type, chunk: k.on(0, (c) => c.kmalloc(SIZE, type)) };
  },
  cpu: {
    owner: (k) => [k.op('clock tick', (c) => c.tick())],
    remote: (k, { type, chunk }) => [
      k.op('kfree', (c) => c.kfree(chunk, type)),
      k.op('malloc_uninit', (c) => c.engine.engine.mallocUninit(type)),
    ],
  },
  after: (_view, _s, results) => results[1]![1] === 0 || `${results[1]![1]} bytes still allocated`,
  defects: ['R52'],
  expect: { verdict: 'pass', with: { R52: 'panic' } },
});

export const remoteFrees: readonly Scenario[] = [
  remoteFree,
  remoteFree2x2,
  remoteFree2x2Polled,
  R34,
  R40,
  underPolicy(R40, 'rcount', 'lost-wakeup', 'DragonFly df9daea8'),
  underPolicy(R40, 'rchunks', 'lost-wakeup', 'DragonFly 5fee07e6'),
  underPolicy(R40, 'rtagged', 'pass', 'ours: signal and list are one word'),
  underPolicy(R40, 'rbatch', 'pass', 'ours: signal and list are one word', { 'kern.rbatch': 1 }),
  strandedZone('stays'),
  strandedZone('cured'),
  R44,
  R52,
];
