/**
 * axis.ts — where a value stands and what is written there: d3's scales, with what a logarithm has no place for. A zero
 * has one before the axis begins, a word such as 'tick' has one behind its end.
 */
import { scaleLinear, scaleLog } from 'd3-scale';

export type Value = number | string;

export interface Tick {
  readonly at: number;
  /** '' for a line without a word */
  readonly label: string;
}

export interface Axis {
  readonly title: string;
  readonly ticks: readonly Tick[];
  /** coordinates between which values that have a logarithm stand */
  readonly range: readonly [number, number];
  at(value: Value): number;
}

export interface AxisOptions {
  readonly title: string;
  /** coordinates of its ends */
  readonly range: readonly [number, number];
  readonly label?: (value: number) => string;
  /** labels there is room for */
  readonly most?: number;
}

const MOST = 7;
/** how much room a zero or a word takes, in coordinates */
const SLOT = 34;

/** From 0. */
export function linearAxis(values: readonly number[], options: AxisOptions): Axis {
  const { title, range, label = plain, most = 5 } = options;
  const scale = scaleLinear([0, Math.max(...values, 0) || 1], range).nice(most);
  const ticks = scale.ticks(most).map((value) => ({ at: scale(value), label: label(value) }));
  return { title, range, ticks, at: (value) => scale(Number(value)) };
}

export function logAxis(values: readonly Value[], options: AxisOptions): Axis {
  const { title, range, label = plain, most = MOST } = options;
  const positive = values.filter((value): value is number => typeof value === 'number' && value > 0);
  const words = [...new Set(values.filter((value): value is string => typeof value === 'string'))];
  const [from, to] = range;
  const direction = Math.sign(to - from);
  const zero = values.includes(0);
  const inner = [from + (zero ? direction * SLOT : 0), to - direction * SLOT * words.length] as const;
  const least = positive.length > 0 ? roundDown(Math.min(...positive)) : 1;
  const largest = positive.length > 0 ? roundUp(Math.max(...positive)) : 10;
  const scale = scaleLog([least, largest > least ? largest : least * 10], inner);
  const ticks: Tick[] = logTicks(least, scale.domain()[1]!, most).map((value) => (
    { at: scale(value), label: label(value) }
  ));
  if (zero) ticks.unshift({ at: from, label: '0' });
  const slot = (word: string) => to - direction * SLOT * (words.length - 1 - words.indexOf(word));
  ticks.push(...words.map((word) => ({ at: slot(word), label: word })));
  const at = (value: Value) => {
    if (typeof value === 'string') return slot(value);
    return value > 0 ? scale(value) : from;
  };
  return { title, range: inner, ticks, at };
}

/** Numbers of CPUs: a step is a doubling. */
export function cpuAxis(cpus: readonly number[], { title, range }: AxisOptions): Axis {
  const most = Math.max(...cpus);
  const scale = scaleLog([1, Math.max(2, most)], range).base(2);
  const ticks = scale.ticks(MOST + 2).filter((value) => Number.isInteger(Math.log2(value)));
  if (most - ticks.at(-1)! > ticks.at(-1)! / 2) ticks.push(most);
  return {
    title, range, ticks: ticks.map((value) => ({ at: scale(value), label: String(value) })),
    at: (value) => scale(Number(value)),
  };
}

/** Powers of ten, every second or third where they are many; 1, 2, 5 where they are few. */
function logTicks(least: number, most: number, room: number): number[] {
  const [from, to] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const step = Math.ceil((to - from + 1) / room);
  const factors = Math.log10(most / least) * 3 <= room + 1 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.ceil(from / step) * step; power <= to; power += step) {
    ticks.push(...factors.map((factor) => Number(`${factor}e${power}`)));
  }
  const inside = ticks.filter((value) => value >= least * 0.999 && value <= most * 1.001);
  return inside.length > 1 ? inside : [least, most];
}

function roundDown(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([5, 2].find((factor) => factor * power <= value) ?? 1);
}

function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5].find((factor) => factor * power >= value) ?? 10);
}

const PREFIXES: readonly (readonly [number, string])[] = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']];

/** 1500 -> 1.5k */
export function plain(value: number): string {
  const [by, prefix] = PREFIXES.find(([least]) => Math.abs(value) >= least) ?? [1, ''];
  return `${Number((value / by).toPrecision(3))}${prefix}`;
}

const UNITS: readonly (readonly [number, string])[] = [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs']];

/** Nanoseconds: 1500 -> 1.5 µs */
export function duration(ns: number): string {
  const [by, unit] = UNITS.find(([least]) => ns >= least) ?? [1, 'ns'];
  return `${Number((ns / by).toPrecision(3))} ${unit}`;
}

/** A part of one: 0.001 -> 0.1 % */
export function percent(part: number): string {
  return `${Number((part * 100).toPrecision(3))} %`;
}
