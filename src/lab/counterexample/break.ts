/** break.ts — an execution looked at in the middle: the structures around a step, just before it. */
import { symbols } from '../../observe/symbols.js';
import { along, follow } from './follow.js';
import type { Subject } from '../subject.js';
import { traceSchedule } from './trace.js';

/**
 * The structures around the words of a step and of the steps beside it, as they are just before it.
 * @param step from 1
 * @returns lines of text
 */
export function breakAt(subject: Subject, schedule: readonly number[], step: number): string[] {
  const { steps } = traceSchedule(subject, schedule);
  const near = steps.slice(Math.max(0, step - 2), step + 1).map(({ word }) => word);
  const { structAt, place } = symbols(subject.machine.memory);
  let lines: string[] = [];
  const look = (): void => {
    const seen = new Set<string>();
    lines = near.flatMap((word) => {
      const dump = structAt(word);
      const name = dump ? `${dump.name} ${dump.address}` : place(word);
      if (seen.has(name)) return [];
      seen.add(name);
      return dump ? dump.lines : [`${name} = ${subject.view.i32[word] ?? 0}`];
    });
  };
  let made = 0;
  const choose = along(schedule);
  const first = step <= 1;
  follow(
    subject,
    (stay, enabled, decision) => {
      if (first && decision === 0) look();
      return choose(stay, enabled, decision);
    },
    () => {
      if (++made === step - 1) look();
    },
  );
  return lines;
}
