/** index.ts — searches by name. */
import { SmpallocError } from '../../base/errors.js';
import type { Subject } from '../subject.js';
import { type BoundedState, BoundedSearch } from './bounded.js';
import { DporSearch } from './dpor.js';
import { PctSearch } from './pct.js';
import { PosSearch } from './pos.js';
import { RandomSearch } from './random.js';
import type { SamplingSearch, SamplingState } from './sampling.js';
import type { OnEnd, Search, Shard } from './search.js';
import { StateSearch } from './states.js';

export interface SearchOptions {
  /** preemptions at most, of 'bound'; default: any number */
  readonly bound?: number | undefined;
  readonly seed?: number | undefined;
  /** executions, of those that draw */
  readonly executions?: number | undefined;
  readonly onEnd?: OnEnd | undefined;
  /** a part of the search: of 'bound', and of those that draw */
  readonly shard?: Shard | undefined;
  /** what `save` of a search of the same name returned */
  readonly state?: unknown;
}

/** What they are called on the command line. */
export const ALGORITHMS = ['bound', 'dpor', 'states', 'random', 'pos', 'pct:DEPTH'] as const;
const DEEPEST = 16;

/** Does it end when there is nothing left to explore? The others draw, for as long as they are asked to. */
export function isExhaustive(algorithm: string): boolean {
  return !/^(random|pos|pct)/.test(algorithm);
}

/** Does it begin again in the middle when a scheduling point is learned? */
export function beginsAgain(algorithm: string): boolean {
  return algorithm === 'dpor' || algorithm === 'states';
}

/** @throws SmpallocError ESMP_OPTION when there is no such search, it has no parts, or no way with threads that move */
export function makeSearch(algorithm: string, subject: Subject, options: SearchOptions = {}): Search {
  const { onEnd = null, shard = null } = options;
  if (algorithm === 'bound') {
    const search = new BoundedSearch(subject, options.bound ?? Number.POSITIVE_INFINITY, onEnd, shard);
    if (options.state) search.restore(options.state as BoundedState);
    return search;
  }
  const sampling = sampler(algorithm, subject, options);
  if (sampling) {
    if (options.state) sampling.restore(options.state as SamplingState);
    return sampling;
  }
  if (algorithm !== 'dpor' && algorithm !== 'states') {
    throw new SmpallocError('ESMP_OPTION', `algo: there is no '${algorithm}'; there are ${ALGORITHMS.join(', ')}`);
  }
  if (algorithm === 'dpor' && subject.engine.entity.layout.movers > 0) {
    const can = 'bound, states, random, pos and pct can';
    throw new SmpallocError('ESMP_OPTION', `algo: 'dpor' cannot explore threads that move; ${can}`);
  }
  if (shard && shard.of > 1) {
    const can = 'bound, random, pos and pct are';
    throw new SmpallocError('ESMP_OPTION', `shard: '${algorithm}' is not done in parts; ${can}`);
  }
  return algorithm === 'dpor' ? new DporSearch(subject, onEnd) : new StateSearch(subject, onEnd);
}

function sampler(algorithm: string, subject: Subject, options: SearchOptions): SamplingSearch | null {
  if (algorithm === 'random') return new RandomSearch(subject, options);
  if (algorithm === 'pos') return new PosSearch(subject, options);
  const depth = /^pct:(\d+)$/.exec(algorithm)?.[1];
  if (depth === undefined) return null;
  if (Number(depth) >= 1 && Number(depth) <= DEEPEST) return new PctSearch(subject, Number(depth), options);
  throw new SmpallocError('ESMP_OPTION', `algo: a depth of pct is 1 to ${DEEPEST}, not ${depth}`);
}
