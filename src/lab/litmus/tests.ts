/**
 * tests.ts — the litmus tests: small programs of few threads, and which of their outcomes tell memory models apart.
 *
 * Each asks for one outcome, its witness. `sc` has all that sequential consistency allows; the JavaScript model allows
 * those, and the witness where `javascript` says so. test/unit/litmus.test.ts derives both sets from the programs.
 */
import { type Access, atomic, type Element, plain } from './access.js';

export type Verdict = 'allowed' | 'forbidden';

export interface LitmusTest {
  /** `SB:plain`: the shape, the kinds of access */
  readonly name: string;
  readonly shape: string;
  /** which accesses, for people */
  readonly access: string;
  /** a thread each */
  readonly actors: readonly (readonly Access[])[];
  /** loads when all are done: what is in memory */
  readonly final: readonly Access[];
  /** values of r0, r1, ... as they are printed */
  readonly sc: readonly string[];
  readonly witness: string;
  /** what the witness means */
  readonly says: string;
  readonly javascript: Verdict;
}

type Kind = typeof plain;
type Row = readonly [variant: string, access: string, javascript: Verdict, kinds: readonly Kind[]];

/** A shape: a program whose accesses may be of several kinds. */
interface Shape {
  readonly shape: string;
  readonly actors: (kinds: readonly Kind[]) => readonly (readonly Access[])[];
  readonly final?: readonly Access[];
  readonly sc: readonly string[];
  readonly witness: string;
  readonly says: string;
  readonly rows: readonly Row[];
}

const P = plain;
const A = atomic;

/** two kinds: of the first access of each thread, of the second; SB:one-store: of the second thread's as well */
const SB: Shape = {
  shape: 'SB',
  actors: ([st, ld, st1 = st, ld1 = ld]) => [
    [st!.store('x'), ld!.load('y')],
    [st1!.store('y'), ld1!.load('x')],
  ],
  sc: ['0, 1', '1, 0', '1, 1'],
  witness: '0, 0',
  says: 'both loads came before the stores were visible',
  rows: [
    ['plain', 'plain', 'allowed', [P, P]],
    ['atomic-load', 'plain store, Atomics.load', 'allowed', [P, A]],
    ['atomic-store', 'Atomics.store, plain load', 'allowed', [A, P]],
    ['one-store', 'one plain store, all else Atomics (R48)', 'allowed', [A, A, P, A]],
    ['atomic', 'Atomics', 'forbidden', [A, A]],
  ],
};

/** kinds: data, the flag's store, the flag's load */
const MP: Shape = {
  shape: 'MP',
  actors: ([data, set, get]) => [
    [data!.store('x'), set!.store('y')],
    [get!.load('y'), data!.load('x')],
  ],
  sc: ['0, 0', '0, 1', '1, 1'],
  witness: '1, 0',
  says: 'the flag was seen, the data was not',
  rows: [
    ['plain', 'plain', 'allowed', [P, P, P]],
    ['atomic-data', 'Atomics for the data, a plain flag', 'allowed', [A, P, P]],
    ['atomic-set', 'plain data, flag by Atomics.store, plain load', 'allowed', [P, A, P]],
    ['atomic-get', 'plain data, flag by plain store, Atomics.load', 'allowed', [P, P, A]],
    ['atomic-flag', 'plain data, Atomics for the flag', 'forbidden', [P, A, A]],
    ['atomic', 'Atomics', 'forbidden', [A, A, A]],
  ],
};

const LB: Shape = {
  shape: 'LB',
  actors: ([ld, st]) => [
    [ld!.load('x'), st!.store('y')],
    [ld!.load('y'), st!.store('x')],
  ],
  sc: ['0, 0', '0, 1', '1, 0'],
  witness: '1, 1',
  says: 'each load saw a store that comes after the other',
  rows: [
    ['plain', 'plain', 'allowed', [P, P]],
    ['atomic-load', 'Atomics.load, plain store', 'allowed', [A, P]],
    ['atomic-store', 'plain load, Atomics.store', 'allowed', [P, A]],
    ['atomic', 'Atomics', 'forbidden', [A, A]],
  ],
};

const FOUR = ['0, 0', '0, 1', '1, 0', '1, 1'];

const IRIW: Shape = {
  shape: 'IRIW',
  actors: ([st, ld]) => [
    [st!.store('x')],
    [st!.store('y')],
    [ld!.load('x'), ld!.load('y')],
    [ld!.load('y'), ld!.load('x')],
  ],
  sc: FOUR.flatMap((a) => FOUR.map((b) => `${a}, ${b}`)).filter((result) => result !== '1, 0, 1, 0'),
  witness: '1, 0, 1, 0',
  says: 'two readers saw two stores in different orders',
  rows: [
    ['plain', 'plain', 'allowed', [P, P]],
    ['atomic-load', 'plain store, Atomics.load', 'allowed', [P, A]],
    ['atomic-store', 'Atomics.store, plain load', 'allowed', [A, P]],
    ['atomic', 'Atomics', 'forbidden', [A, A]],
  ],
};

const CoRR: Shape = {
  shape: 'CoRR',
  actors: ([st, ld]) => [
    [st!.store('x')],
    [ld!.load('x'), ld!.load('x')],
  ],
  sc: ['0, 0', '0, 1', '1, 1'],
  witness: '1, 0',
  says: 'a word was read new, then old again',
  rows: [
    ['plain', 'plain', 'allowed', [P, P]],
    ['atomic-load', 'plain store, Atomics.load', 'allowed', [P, A]],
    ['atomic-store', 'Atomics.store, plain load', 'allowed', [A, P]],
    ['atomic', 'Atomics', 'forbidden', [A, A]],
  ],
};

const WW: Shape = {
  shape: '2+2W',
  actors: ([st]) => [
    [st!.store('x', 1), st!.store('y', 2)],
    [st!.store('y', 1), st!.store('x', 2)],
  ],
  final: [P.load('x'), P.load('y')],
  sc: ['1, 2', '2, 1', '2, 2'],
  witness: '1, 1',
  says: "each thread's first store came last",
  rows: [
    ['plain', 'plain', 'allowed', [P]],
    ['atomic', 'Atomics', 'forbidden', [A]],
  ],
};

const INC = (row: Row, sc: readonly string[]): Shape => ({
  shape: 'INC',
  actors: ([one]) => [[one!.inc('x')], [one!.inc('x')]],
  final: [P.load('x')],
  sc,
  witness: '1',
  says: 'an update is lost: ++ is a load and a store',
  rows: [row],
});

/** One element stored, one loaded. */
const tear = (variant: string, access: string, javascript: Verdict, element: Element, kinds = [P, P]): Shape => ({
  shape: 'TEAR',
  actors: ([st, ld]) => {
    const place = variant.startsWith('edge') ? 'edge' : 'w';
    return [[st!.store(place, 1, element)], [ld!.load(place, element)]];
  },
  sc: ['0', '1'],
  witness: 'torn',
  says: 'half of it old, half of it new',
  rows: [[variant, access, javascript, kinds]],
});

const TEAR: readonly Shape[] = [
  tear('i32', 'Int32Array', 'forbidden', 'i32'),
  tear('i64', 'BigInt64Array', 'allowed', 'i64'),
  tear('i64-store', 'BigInt64Array, Atomics.store, plain load', 'allowed', 'i64', [A, P]),
  tear('i64-atomic', 'BigInt64Array, Atomics', 'forbidden', 'i64', [A, A]),
  tear('f64', 'Float64Array', 'allowed', 'f64'),
  tear('view-i32', 'DataView Int32, aligned', 'allowed', 'viewI32'),
  tear('view-i64', 'DataView BigInt64, aligned', 'allowed', 'viewI64'),
  tear('view-f64', 'DataView Float64, aligned', 'allowed', 'viewF64'),
  tear('edge-i32', 'DataView Int32, across a line', 'allowed', 'viewI32'),
  tear('edge-i64', 'DataView BigInt64, across a line', 'allowed', 'viewI64'),
  tear('edge-f64', 'DataView Float64, across a line', 'allowed', 'viewF64'),
];

/** 64 bits as two words of 32: stored so, or loaded so */
const PAIR_STORE: Shape = {
  shape: 'PAIR',
  actors: ([st, ld]) => [
    [st!.store('lo'), st!.store('hi')],
    [ld!.load('w', 'i64')],
  ],
  sc: ['0', '1', 'torn'],
  witness: 'torn',
  says: 'between the two stores',
  rows: [
    ['store', 'two Int32 stores, one BigInt64 load', 'allowed', [P, P]],
    ['store-atomic', 'two Atomics.store of 32 bits, Atomics.load of 64', 'allowed', [A, A]],
  ],
};

const PAIR_LOAD: Shape = {
  shape: 'PAIR',
  actors: ([st, ld]) => [
    [st!.store('w', 1, 'i64')],
    [ld!.load('lo'), ld!.load('hi')],
  ],
  sc: ['0, 0', '0, 1', '1, 1'],
  witness: '1, 0',
  says: 'one half was seen, the other later was not',
  rows: [
    ['load', 'one BigInt64 store, two Int32 loads', 'allowed', [P, P]],
    ['load-atomic', 'Atomics.store of 64 bits, two Atomics.load of 32', 'allowed', [A, A]],
  ],
};

const SHAPES: readonly Shape[] = [
  SB, MP, LB, IRIW, CoRR, WW,
  INC(['plain', 'x++', 'allowed', [P]], ['1', '2']),
  INC(['atomic', 'Atomics.add', 'forbidden', [A]], ['2']),
  ...TEAR, PAIR_STORE, PAIR_LOAD,
];

export const LITMUS: readonly LitmusTest[] = SHAPES.flatMap(({ rows, actors, final = [], ...shape }) => (
  rows.map(([variant, access, javascript, kinds]) => ({
    ...shape, final, name: `${shape.shape}:${variant}`, access, javascript, actors: actors(kinds),
  }))
));
