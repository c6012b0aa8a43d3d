/** programs.ts — random little programs over raw words, to compare searches by what can come out of them. */
import type { Client } from '../../src/lab/kit.js';
import { type Scenario, scenario } from '../../src/lab/scenario.js';
import { Draws } from '../../src/lab/draws.js';

type Statement = (c: Client) => unknown;

export interface ProgramOptions {
  readonly cpus: number;
  /** a second thread on CPU 0 */
  readonly twoThreads?: boolean;
  readonly interrupts?: boolean;
  /** CPU 0's first thread may be moved to CPU 1 */
  readonly moves?: boolean;
  /** what a statement may be */
  readonly kinds: readonly Kind[];
  /** statements a thread has at most */
  readonly statements: number;
}

export type Kind =
  | 'ld' | 'st' | 'load' | 'store' | 'cas' | 'xchg' | 'add' | 'crit' | 'raise' | 'wait' | 'notify' | 'spin' | 'lock'
  | 'splz' | 'own';

/** Program number `seed`. What comes out is what each statement returned, and the words at the end. */
export function program(seed: number, options: ProgramOptions): Scenario {
  return scenario(`program-${seed}`, {
    origin: 'generic',
    cpus: Array.from({ length: options.cpus }, () => 'any'),
    ...(options.twoThreads && { threads: { 0: 'any' } }),
    ...(options.moves && { moves: { 0: [1] } }),
    interrupts: options.interrupts ?? false,
    races: false,
    rules: false,
    setup: (k) => {
      const shared = k.words(3);
      const draws = new Draws(seed, 1);
      const handler = options.interrupts ? k.handler((c, a) => void c.add(shared[a]!, 16)) : 0;
      return { shared, draws, handler, mutex: k.words(1)[0]! };
    },
    cpu: {
      any: (k, s) =>
        Array.from({ length: 1 + s.draws.below(options.statements) }, () => {
          const [name, run] = statement(s.draws, options, s.shared, s.mutex, s.handler);
          return k.op(name, run);
        }),
    },
    result: (view, { shared }, results) =>
      `${results.map((of) => of.join(' ')).join(' | ')} : ${shared.map((word: number) => view.i32[word]).join(' ')}`,
  });
}

function statement(
  draws: Draws, options: ProgramOptions, shared: readonly number[], mutex: number, handler: number,
): [string, Statement] {
  const kind = options.kinds[draws.below(options.kinds.length)]!;
  const n = draws.below(shared.length);
  const word = shared[n]!;
  const other = shared[draws.below(shared.length)]!;
  const value = 1 + draws.below(2);
  const expected = draws.below(3);
  const cpu = draws.below(options.cpus);
  const run: Record<Kind, Statement> = {
    ld: (c) => c.ld(word),
    st: (c) => c.st(word, value),
    load: (c) => c.load(word),
    store: (c) => c.store(word, value),
    cas: (c) => c.cas(word, expected, value) ? 1 : 0,
    xchg: (c) => c.xchg(word, value),
    add: (c) => c.add(word, value),
    crit: (c) => c.crit(() => c.st(word, c.ld(other) + 1)),
    raise: (c) => void c.send(cpu, handler, n),
    wait: (c) => c.wait(word, expected),
    notify: (c) => c.notify(word),
    spin: (c) => {
      while (c.load(word) === expected) c.pause();
    },
    lock: (c) => {
      c.mtxLock(mutex);
      const seen = c.ld(word);
      c.st(word, seen + 1);
      c.mtxUnlock(mutex);
      return seen;
    },
    splz: (c) => c.splz(),
    // the CPU's own word, found before or in the section
    own: (c) => {
      const early = shared[c.engine.curcpu]!;
      return c.crit(() => {
        const mine = value === 1 ? early : shared[c.engine.curcpu]!;
        const seen = c.ld(mine);
        c.st(mine, seen + 1);
        return seen;
      });
    },
  };
  return [`${kind} ${n} ${value} ${expected} ${cpu}`, run[kind]];
}
