/**
 * scouts.ts — scheduling points learned before a search that would have to begin again with each of them.
 *
 * DPOR and `states` know what they have done by its scheduling points: one more shared word, and all of it is worth
 * nothing. Depth first they stay for long where executions are alike, and meet the rare ones late. Drawn schedules are
 * all unlike, and show nearly every shared word in a few hundred.
 */
import type { Subject } from '../subject.js';
import { PctSearch } from './pct.js';
import { PosSearch } from './pos.js';

/** so many executions of each without anything new, and the search begins */
const QUIET = 1000;
/** of pct: whoever runs falls back at two places, so that somebody comes, and is himself met */
const DEPTH = 3;

/** @param stop asked now and then: true ends it */
export function scout(subject: Subject, seed: number, stop: () => boolean): void {
  if (subject.points === 'all') return;
  const { learned } = subject.engine.shadow;
  const scouts = [new PosSearch(subject, { seed }), new PctSearch(subject, DEPTH, { seed })];
  for (let quiet = 0; quiet < QUIET && !stop(); quiet++) {
    const known = learned.count;
    for (const search of scouts) search.next();
    if (learned.count !== known) quiet = 0;
  }
}
