/**
 * index.ts — the catalogue: races the kernels had, each as small as it can be, and programs that have to pass.
 *
 * A scenario named after a race (docs/races.md) passes as it stands and fails with that race's defect; variants have
 * a suffix. Those of a policy as it was committed, such as 'R40-rcount', fail by themselves.
 */
import { SmpallocError } from '../../base/errors.js';
import type { Scenario } from '../scenario.js';
import { accountings } from './accounting.js';
import { cpusyncs } from './cpusync.js';
import { ipis } from './ipi.js';
import { linuxes } from './linux.js';
import { lists } from './lists.js';
import { mallocs } from './malloc.js';
import { mallocTypes } from './malloc_types.js';
import { mbufs } from './mbufs.js';
import { mimallocs } from './mimalloc.js';
import { migrations } from './migration.js';
import { orders } from './order.js';
import { others } from './others.js';
import { pages } from './pages.js';
import { remoteFrees } from './remote_free.js';
import { statistics } from './statistics.js';
import { umas } from './uma.js';
import { umaMisuses } from './uma_misuse.js';
import { umaRaces } from './uma_races.js';

/** Races by number, then the others by name. */
export const catalogue: readonly Scenario[] = [
  ...accountings, ...cpusyncs, ...ipis, ...linuxes, ...lists, ...mallocs, ...mallocTypes, ...mbufs,
  ...mimallocs, ...migrations, ...orders, ...others, ...pages, ...remoteFrees, ...statistics, ...umas,
  ...umaMisuses, ...umaRaces,
].sort((a, b) => Math.sign(rank(a.name) - rank(b.name)) || (a.name < b.name ? -1 : 1));

function rank(name: string): number {
  const number = /^R(\d+)/.exec(name)?.[1];
  return number === undefined ? Number.POSITIVE_INFINITY : Number(number);
}

/** @throws SmpallocError ESMP_INPUT when there is none of that name */
export function findScenario(name: string): Scenario {
  const found = catalogue.find((scenario) => scenario.name === name);
  if (!found) throw new SmpallocError('ESMP_INPUT', `there is no scenario '${name}' in the catalogue`);
  return found;
}
