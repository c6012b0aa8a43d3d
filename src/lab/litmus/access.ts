/**
 * access.ts — a litmus test's accesses as data: what threads do, what models judge, what is printed.
 *
 *   x y       words of 32 bits on lines of their own
 *   w         one element of 32 or 64 bits; lo and hi are its halves
 *   edge      one that lies across the end of a line: only a DataView reaches it
 */

export type Place = 'x' | 'y' | 'w' | 'lo' | 'hi' | 'edge';

/** `i32`, `i64`, `f64`: elements of Int32Array, BigInt64Array, Float64Array; `view...`: the same through a DataView */
export type Element = 'i32' | 'i64' | 'f64' | 'viewI32' | 'viewI64' | 'viewF64';

export interface Access {
  /** `inc` adds one: a load and a store where it is plain, one event where it is atomic */
  readonly do: 'load' | 'store' | 'inc';
  readonly place: Place;
  readonly element: Element;
  readonly atomic: boolean;
  /** of a store: in x and y this number; elsewhere 1 means every bit pattern's bytes are 1 */
  readonly value: number;
}

/** Bytes of the language's model, as coarse as these tests need them: first unit, units. */
export const UNITS: Readonly<Record<Place, readonly [first: number, length: number]>> = {
  x: [0, 1], y: [1, 1], w: [2, 2], lo: [2, 1], hi: [3, 1], edge: [2, 2],
};

const access = (what: Access['do'], place: Place, element: Element, atomic: boolean, value: number): Access => (
  { do: what, place, element, atomic, value }
);

/** Plain accesses, and those through Atomics. */
export const plain = {
  load: (place: Place, element: Element = 'i32'): Access => access('load', place, element, false, 0),
  store: (place: Place, value = 1, element: Element = 'i32'): Access => access('store', place, element, false, value),
  inc: (place: Place): Access => access('inc', place, 'i32', false, 0),
};
export const atomic: typeof plain = {
  load: (place, element = 'i32') => access('load', place, element, true, 0),
  store: (place, value = 1, element = 'i32') => access('store', place, element, true, value),
  inc: (place) => access('inc', place, 'i32', true, 0),
};

/**
 * May the event not be torn? ECMA-262, IsNoTearConfiguration: integers of 8 to 32 bits always, BigInts when the order
 * is seq-cst, floats never; and GetRawBytesFromSharedBlock, SetValueInBuffer ask it for typed arrays only.
 */
export function isNoTear({ element, atomic: seqCst }: Access): boolean {
  return element === 'i32' || (element === 'i64' && seqCst);
}

const NAMES: Readonly<Record<Element, string>> = {
  i32: 'Int32Array', i64: 'BigInt64Array', f64: 'Float64Array',
  viewI32: 'Int32', viewI64: 'BigInt64', viewF64: 'Float64',
};

/** As a line of a program: `Atomics.store(x, 1)`, `r0 = y`. */
export function spelledAccess(one: Access, register: () => number): string {
  const { place, element } = one;
  const value = place === 'x' || place === 'y' ? String(one.value) : '01..';
  if (one.do === 'inc') return one.atomic ? `Atomics.add(${place}, 1)` : `${place}++`;
  const into = one.do === 'load' ? `r${register()} = ` : '';
  if (element.startsWith('view')) {
    return one.do === 'load' ? `${into}get${NAMES[element]}(${place})` : `set${NAMES[element]}(${place}, ${value})`;
  }
  const cell = place === 'x' || place === 'y' ? place : `${element}[${place}]`;
  if (!one.atomic) return one.do === 'load' ? `${into}${cell}` : `${cell} = ${value}`;
  return one.do === 'load' ? `${into}Atomics.load(${cell})` : `Atomics.store(${cell}, ${value})`;
}
