/** confirm_measured.ts — what is kept of a confirmation for race show and docs/races/ (lab/catalogue/measured.json). */
import type { MeasuredEntry } from '../lab/catalogue/measured.js';
import type { Confirmation } from '../lab/confirm.js';
import type { Cost } from '../lab/cost.js';
import { powerText } from './stress_text.js';

export function measuredEntry({ found, clean, replayed, stress }: Confirmation, cost: Cost | null): MeasuredEntry {
  const last = stress.at(-1);
  return {
    explored: {
      ...(found && {
        found: { execution: found.execution, preemptions: found.preemptions, seconds: rounded(found.seconds) },
      }),
      ...(clean && {
        clean: {
          schedules: clean.schedules, preemptions: clean.preemptions, seconds: rounded(clean.seconds),
          complete: clean.complete,
        },
      }),
    },
    replayed,
    stress: stress.map(({ seconds, samples, widened, rows }) => (
      { seconds: rounded(seconds), samples, widened, rows }
    )),
    ...(last && { power: powerText(last).join('; ').replace(/^power: /, '') }),
    cost: cost?.without ? {
      what: cost.what,
      locked: cost.fixed.locked - cost.without.locked,
      accesses: cost.fixed.accesses - cost.without.accesses,
      messages: cost.fixed.messages - cost.without.messages,
    } : null,
  };
}

const rounded = (seconds: number): number => Math.round(seconds * 100) / 100;
