/**
 * actor.ts — one thread of a litmus test: a whole stride of instances in one function, made from the test's accesses.
 *
 * The accesses have to be the function's own for V8 to compile them as it compiles the engine's: no call, no closure,
 * no view chosen at run time. So the function is written as text, and what the models judge (access.ts) is what runs.
 *
 *   instance    all meet: an add each, then each waits until it sees all of them; a few turns of a loop, by chance;
 *               the accesses; the result into a word of this actor's own
 *   stride      all arrive; actor 0, the leader, counts the results; then each brings a share of the instances back
 *
 * Meeting at each instance is what makes races: with one barrier for 2048 of them, store buffers were never seen.
 */
import { seedOf } from '../../base/prng.js';
import {
  ASLEEP, INSTANCE_WORDS, instancesAt, LINE_BYTES, LITMUS_MEET, LITMUS_OVER, LITMUS_X, LITMUS_Y, type LitmusTally,
  type LitmusTask, LT_ARRIVED, LT_LENGTH, LT_RESULTS, LT_SAMPLES, LT_STATE, LT_STRIDE, STRIDE, STRIDE_SHORT,
} from '../../base/litmus.js';
import type { Access, Element, Place } from './access.js';
import type { LitmusTest } from './tests.js';

/**
 * Looks before a thread that waits gives its core to others. A kernel moves threads apart that share a core while
 * another is free, but only those that keep it busy: with a core for each, looking goes on for a good while.
 */
const LOOKS = 20_000;
const LOOKS_CROWDED = 1000;
/** milliseconds it sleeps then */
const NAP_MS = 0.05;
/** a stride that takes longer is followed by a short one */
const QUICK_MS = 20;
/** turns of the loop before the accesses, at most: a mask a stride, in turn */
const DELAYS = [0, 7, 31, 127];

/** every byte is 1: whatever is torn is neither this nor 0 */
const WIDE = 0x01010101;
const WIDE_64 = 0x0101010101010101n;
const WIDE_F64 = new Float64Array(BigInt64Array.of(WIDE_64).buffer)[0]!;

/** 2 bits a register: narrow words have values 0 to 2; of wide ones 0 is old, 1 new, and 2 torn. 3 nobody has stored */
const BITS = 2;
const VALUES = 1 << BITS;

export type LitmusParts = Pick<LitmusTask, 'part' | 'reset' | 'final'>;

const WORD: Readonly<Record<Place, number>> = {
  x: LITMUS_X, y: LITMUS_Y, w: LITMUS_X, lo: LITMUS_X, hi: LITMUS_X + 1, edge: LITMUS_X,
};

const isNarrow = (place: Place): boolean => place === 'x' || place === 'y';
const isBigInt = (element: Element): boolean => element === 'i64' || element === 'viewI64';
const zero = (element: Element): string => (isBigInt(element) ? '0n' : '0');
const ones = (element: Element): string => {
  if (isBigInt(element)) return `${WIDE_64}n`;
  return String(element === 'i32' || element === 'viewI32' ? WIDE : WIDE_F64);
};

/** Where an access goes: an index of its view, from `at`, the instance's first word. */
function indexOf({ element, place }: Access): string {
  if (element === 'i32') return `at + ${WORD[place]}`;
  if (!element.startsWith('view')) return `(at + ${WORD[place]}) >> 1`;
  const half = element === 'viewI32' ? 2 : 4;
  return `at * 4 + ${place === 'edge' ? LINE_BYTES - half : WORD[place] * 4}`;
}

const METHODS: Partial<Record<Element, string>> = { viewI32: 'Int32', viewI64: 'BigInt64', viewF64: 'Float64' };

function storeText(one: Access, value: string): string {
  const { element, atomic } = one;
  const at = indexOf(one);
  const method = METHODS[element];
  if (method) return `view.set${method}(${at}, ${value}, true)`;
  return atomic ? `Atomics.store(${element}, ${at}, ${value})` : `${element}[${at}] = ${value}`;
}

function loadText(one: Access): string {
  const { element, atomic } = one;
  const at = indexOf(one);
  const method = METHODS[element];
  if (method) return `view.get${method}(${at}, true)`;
  return atomic ? `Atomics.load(${element}, ${at})` : `${element}[${at}]`;
}

/** Statements of these accesses, and the expression of what they loaded, from this register on. */
function accessesText(accesses: readonly Access[], firstRegister: number): { lines: string[]; result: string } {
  let register = firstRegister;
  const results: string[] = [];
  const lines = accesses.map((one) => {
    if (one.do === 'inc') return one.atomic ? `Atomics.add(i32, ${indexOf(one)}, 1);` : `i32[${indexOf(one)}]++;`;
    if (one.do === 'store') return `${storeText(one, isNarrow(one.place) ? String(one.value) : ones(one.element))};`;
    const r = `r${register}`;
    const code = isNarrow(one.place)
      ? `${r} >>> 0 < ${VALUES - 1} ? ${r} : ${VALUES - 1}`
      : `${r} === ${zero(one.element)} ? 0 : ${r} === ${ones(one.element)} ? 1 : 2`;
    results.push(`(${code}) << ${register++ * BITS}`);
    return `const ${r} = ${loadText(one)};`;
  });
  return { lines, result: results.join(' | ') || '0' };
}

const loads = (accesses: readonly Access[]): number => accesses.filter((one) => one.do === 'load').length;

/** How many values a test's result has. */
export const registersOf = ({ actors, final }: LitmusTest): number => loads([...actors.flat(), ...final]);

/**
 * What an actor does in an instance, as JavaScript. Instances begin with stores of the kind that the test stores with:
 * to the model, whether a load may be torn depends on the ranges of all the stores it reads.
 */
export function partsOf(test: LitmusTest, actor: number): LitmusParts {
  const own = accessesText(test.actors[actor]!, loads(test.actors.slice(0, actor).flat()));
  const seen = accessesText(test.final, loads(test.actors.flat()));
  const resets = new Set(test.actors.flat().filter((one) => one.do !== 'load').map((one) => (
    one.do === 'inc' ? `i32[${indexOf(one)}] = 0` : storeText(one, zero(one.element))
  )));
  return {
    part: `${own.lines.join('\n    ')}\n    results[n] = ${own.result};`,
    reset: `${[...resets].join(';\n    ')};`,
    final: `${seen.lines.join('\n    ')}\n    results[n] |= ${seen.result};`,
  };
}

/** A result as it is printed: '1, 0'; with the accesses that loaded it. */
export function resultText({ actors, final }: LitmusTest, result: number): string {
  return [...actors.flat(), ...final].filter((one) => one.do === 'load').map(({ place }, register) => {
    const value = (result >> (register * BITS)) & (VALUES - 1);
    if (value === VALUES - 1) return 'other';
    return !isNarrow(place) && value === VALUES - 2 ? 'torn' : String(value);
  }).join(', ');
}

interface Views {
  readonly i32: Int32Array;
  readonly i64: BigInt64Array;
  readonly f64: Float64Array;
  readonly view: DataView;
}

/** Of a stride: `met` counts an instance's meetings. @returns the seed's next */
type Loop = (
  views: Views, results: Int32Array, met: Int32Array, length: number, delay: number, seed: number,
  wait: (word: number) => boolean,
) => number;

/** Every instance: `step` a share of them, from `first`. */
type Sweep = (views: Views, results: Int32Array, length: number, first: number, step: number) => void;

const VIEWS = 'const { i32, i64, f64, view } = views;';

/** @throws SyntaxError when the part is no JavaScript */
function strideOf({ part, actors, crowded }: LitmusTask): Loop {
  const most = crowded ? LOOKS_CROWDED : LOOKS;
  return new Function('views', 'results', 'met', 'length', 'delay', 'seed', 'wait', `'use strict';
  ${VIEWS}
  let turns = 0;
  for (let n = 0, at = ${instancesAt(actors)}; n < length; n++, at += ${INSTANCE_WORDS}) {
    const all = met[n] += ${actors};
    let looks = 0;
    Atomics.add(i32, at + ${LITMUS_MEET}, 1);
    for (; Atomics.load(i32, at + ${LITMUS_MEET}) < all; looks++) {
      if (looks > ${most} && wait(at + ${LITMUS_MEET})) return 0;
    }
    seed ^= seed << 13; seed ^= seed >>> 17; seed ^= seed << 5;
    for (let d = seed & delay; d > 0; d--) turns = (turns + d) | 0;
    ${part}
    if (looks > ${most}) results[n] |= ${ASLEEP};
  }
  return seed;`) as Loop;
}

function sweepOf(body: string, { actors }: LitmusTask): Sweep {
  return new Function('views', 'results', 'length', 'first', 'step', `'use strict';
  ${VIEWS}
  for (let n = first; n < length; n += step) {
    const at = ${instancesAt(actors)} + n * ${INSTANCE_WORDS};
    ${body}
  }`) as Sweep;
}

/**
 * Plays an actor until the leader has counted for long enough, or somebody says it is over.
 * @returns the leader's tally; null of the others, and when it ended too early
 */
export function playActor(task: LitmusTask): LitmusTally | null {
  const { page, actor, actors } = task;
  const i32 = new Int32Array(page);
  const views = { i32, i64: new BigInt64Array(page), f64: new Float64Array(page), view: new DataView(page) };
  const results = Array.from({ length: actors }, (_, n) => new Int32Array(page, (LT_RESULTS + n * STRIDE) * 4, STRIDE));
  const own = results[actor]!;
  const met = new Int32Array(STRIDE);
  const [stride, reset, final] = [strideOf(task), sweepOf(task.reset, task), sweepOf(task.final, task)];
  const isOver = () => Atomics.load(i32, LT_STATE) === LITMUS_OVER;
  const wait = (word: number) => {
    Atomics.wait(i32, word, Atomics.load(i32, word), NAP_MS);
    return isOver();
  };
  const until = (word: number, least: number) => {
    for (let looks = 0; Atomics.load(i32, word) < least; looks++) if (looks > LOOKS_CROWDED && wait(word)) return;
  };
  const leader = actor === 0 ? new Leader(task, i32, results) : null;
  let seed = seedOf(task.seed, actor);
  for (let n = 0; !isOver(); n++) {
    const length = Atomics.load(i32, LT_LENGTH) || STRIDE_SHORT;
    // shares change hands, so that a word is in one core's cache as often as in another's
    reset(views, own, length, (actor + n) % actors, actors);
    seed = stride(views, own, met, length, DELAYS[n % DELAYS.length]!, seed, wait);
    Atomics.add(i32, LT_ARRIVED, 1);
    if (leader) {
      until(LT_ARRIVED, actors * (n + 1));
      if (isOver()) break;
      final(views, own, length, 0, 1);
      leader.count(length);
      Atomics.add(i32, LT_STRIDE, 1);
    } else until(LT_STRIDE, n + 1);
  }
  return leader?.tally ?? null;
}

/** Actor 0, between two strides. */
class Leader {
  tally: LitmusTally | null = null;
  readonly #task: LitmusTask;
  readonly #i32: Int32Array;
  readonly #results: readonly Int32Array[];
  readonly #counts: Float64Array;
  readonly #begin = performance.now();
  #last = this.#begin;
  #samples = 0;
  #asleep = 0;
  /** when counting began: -1 while V8 still compiles */
  #since = -1;

  constructor(task: LitmusTask, i32: Int32Array, results: readonly Int32Array[]) {
    this.#task = task;
    this.#i32 = i32;
    this.#results = results;
    this.#counts = new Float64Array(1 << (task.registers * BITS));
  }

  count(length: number): void {
    const { ms, warmUpMs } = this.#task;
    const now = performance.now();
    Atomics.store(this.#i32, LT_LENGTH, now - this.#last < QUICK_MS ? STRIDE : STRIDE_SHORT);
    this.#last = now;
    if (this.#since < 0) {
      if (now - this.#begin >= warmUpMs) this.#since = now;
      return;
    }
    for (let n = 0; n < length; n++) {
      let result = 0;
      for (const one of this.#results) result |= one[n]!;
      if ((result & ASLEEP) !== 0) this.#asleep++;
      this.#counts[result & ~ASLEEP]!++;
    }
    this.#samples += length;
    Atomics.store(this.#i32, LT_SAMPLES, this.#samples);
    if (now - this.#since < ms) return;
    const counts = Object.fromEntries([...this.#counts.entries()].filter(([, count]) => count > 0));
    this.tally = { counts, samples: this.#samples, asleep: this.#asleep, seconds: (now - this.#since) / 1000 };
    Atomics.store(this.#i32, LT_STATE, LITMUS_OVER);
  }
}
