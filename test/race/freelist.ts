/** freelist.ts — a list several producers push to and one owner takes as a whole: what is known by its counts. */
import { type Scenario, scenario } from '../../src/lab/scenario.js';
import { makeSearch, type SearchOptions } from '../../src/lab/search/index.js';
import type { OnEnd, Search } from '../../src/lab/search/search.js';
import { prepareSubject, type Subject, type SubjectOptions } from '../../src/lab/subject.js';

/**
 * Two producers and an owner, `ops` operations each.
 * @param countFails a push returns how often it failed, not whether the list was empty
 */
export function freelist(ops: number, countFails = false): Scenario {
  return scenario('freelist', {
    origin: 'generic',
    cpus: ['producer', 'producer', 'owner'],
    interrupts: false,
    setup: (k) => ({ head: k.words(1)[0]!, mine: k.words(1)[0]!, chunks: k.words(2 * ops) }),
    cpu: {
      producer: (k, { head, chunks }, index) =>
        chunks.slice(index * ops, (index + 1) * ops).map((chunk: number) =>
          k.op('push', (c) => {
            for (let fails = 0; ; fails++) {
              const first = c.load(head);
              c.st(chunk, first);
              if (c.cas(head, first, chunk)) return countFails ? fails : first === 0;
            }
          })),
      owner: (k, { head, mine }) =>
        Array.from({ length: ops }, () =>
          k.op('take', (c) => {
            let n = 0;
            for (let chunk = c.xchg(head, 0); chunk !== 0; n++) {
              const next = c.ld(chunk);
              c.st(chunk, c.ld(mine));
              c.st(mine, chunk);
              chunk = next;
            }
            return n;
          })),
    },
  });
}

/** Every access a scheduling point, failed compare-and-swaps without end: what the known counts are of. */
export function everything(of: Scenario, options: SubjectOptions = {}): Promise<Subject> {
  return prepareSubject(of, { points: 'all', casFails: Number.POSITIVE_INFINITY, ...options });
}

/** Runs a search to its end. @returns distinct memories at the end of executions */
export function exhaust(subject: Subject, algorithm: string, options: SearchOptions = {}): Search & { heaps: number } {
  const heaps = new Set<string>();
  const onEnd: OnEnd = (verdict) => {
    heaps.add(subject.finalHeap());
    options.onEnd?.(verdict);
  };
  const search = makeSearch(algorithm, subject, { ...options, onEnd });
  while (search.next());
  return Object.assign(search, { heaps: heaps.size });
}
