/**
 * shrink_schedule.ts — the same failure with fewer deviations, then with a shorter token.
 *
 * A schedule is seen as blocks: an entity, and how many decisions in a row it gets. Candidates are made of the blocks
 * and run leniently: a block ends early when its entity cannot go on, and behind the last one the default policy
 * decides. What came of it, not what was asked for, is the candidate's cost.
 */
import type { Failure } from '../../hw/stepped/failure.js';
import { type Effort, sameFailure } from './effort.js';
import { type Choose, type Deviation, follow, type Followed, isIn } from './follow.js';
import { Script } from './script.js';
import type { Subject } from '../subject.js';
import { formatToken } from './token.js';

interface Block {
  readonly entity: number;
  /** decisions; Infinity: as long as it can */
  readonly count: number;
}

/** counts of a token are tried one by one up to this */
const MOST_COUNT = 99;

export function shrinkSchedule(subject: Subject, original: Followed, failure: Failure, effort: Effort): Followed {
  let best = original;
  const tryOne = (choose: Choose): boolean => {
    if (effort.over) return false;
    effort.replays++;
    const followed = follow(subject, choose);
    if (!sameFailure(failure, followed.verdict.failure) || !cheaper(subject, followed, best)) return false;
    best = followed;
    return true;
  };
  // after each success the candidates are made anew, of what is left
  const improve = (candidates: (best: Followed) => Iterable<Choose>): boolean => {
    for (const choose of candidates(best)) if (tryOne(choose)) return true;
    return false;
  };
  while (improve(blockCandidates) || improve(countCandidates)) if (effort.over) break;
  return best;
}

/** Fewer deviations, then a shorter token, then fewer accesses. */
function cheaper(subject: Subject, a: Followed, b: Followed): boolean {
  if (a.deviations.length !== b.deviations.length) return a.deviations.length < b.deviations.length;
  const digits = formatToken(subject, a.deviations).length - formatToken(subject, b.deviations).length;
  return digits !== 0 ? digits < 0 : a.steps < b.steps;
}

function* blockCandidates(best: Followed): Generator<Choose> {
  const blocks = blocksOf(best);
  for (let n = 0; n < blocks.length; n++) yield inBlocks(blocks.slice(0, n));
  for (let n = blocks.length - 1; n >= 0; n--) yield inBlocks(blocks.toSpliced(n, 1));
  for (const [n, { entity }] of blocks.entries()) {
    yield inBlocks(blocks.with(n, { entity, count: Number.POSITIVE_INFINITY }));
  }
  yield* merges(blocks);
  for (let n = 0; n < blocks.length; n++) {
    const { entity, count } = blocks[n]!;
    for (let half = count >>> 1; half > 0; half >>>= 1) {
      yield inBlocks(blocks.with(n, { entity, count: half }));
      yield inBlocks(blocks.with(n, { entity, count: count - half }));
    }
  }
}

/** Two blocks of one entity become one, at the place of the first or of the second. */
function* merges(blocks: readonly Block[]): Generator<Choose> {
  for (let n = 0; n < blocks.length; n++) {
    const { entity, count } = blocks[n]!;
    const m = blocks.findIndex((block, at) => at > n && block.entity === entity);
    if (m < 0) continue;
    const both = { entity, count: count + blocks[m]!.count };
    yield inBlocks(blocks.toSpliced(m, 1).with(n, both));
    yield inBlocks(blocks.with(m, both).toSpliced(n, 1));
  }
}

/** The decisions up to the last deviation: behind it the default policy decides. */
function blocksOf({ schedule, deviations }: Followed): Block[] {
  const length = deviations.reduce((sum, { after }) => sum + after + 1, 0);
  const blocks: { entity: number; count: number }[] = [];
  for (const entity of schedule.slice(0, length)) {
    if (blocks.at(-1)?.entity === entity) blocks.at(-1)!.count++;
    else blocks.push({ entity, count: 1 });
  }
  return blocks;
}

function inBlocks(blocks: readonly Block[]): Choose {
  let at = 0;
  let used = 0;
  return (stay, enabled) => {
    for (let block = blocks[at]; block !== undefined; block = blocks[++at]) {
      if (used < block.count && isIn(enabled, block.entity)) {
        used++;
        return block.entity;
      }
      used = 0;
    }
    return stay;
  };
}

/** Counts with fewer digits; what a count loses, the next one may get. */
function* countCandidates({ deviations }: Followed): Generator<Choose> {
  for (const [n, { after, entity }] of deviations.entries()) {
    const next = deviations[n + 1];
    const most = Math.min(MOST_COUNT, 10 ** (String(after).length - 1) - 1);
    for (let count = 0; count <= (after < 10 ? Math.min(0, after - 1) : most); count++) {
      const shorter = deviations.with(n, { after: count, entity });
      yield script(shorter);
      if (next) yield script(shorter.with(n + 1, { ...next, after: next.after + after - count }));
    }
  }
}

const script = (deviations: readonly Deviation[]): Choose => new Script(deviations, false).choose;
