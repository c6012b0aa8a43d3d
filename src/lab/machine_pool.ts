/**
 * machine_pool.ts — stepped machines used again: loading an engine takes longer than a small scenario.
 *
 * The subject made last owns the machine; the ones before it on the same machine are of no use any more.
 */
import type { Scenario } from './scenario.js';
import type { SteppedMachine } from './stepped.js';
import { prepareSubject, type Subject, type SubjectOptions } from './subject.js';

export class MachinePool {
  readonly #machines = new Map<string, SteppedMachine>();

  /** prepareSubject, on a machine that was like this one when it was switched on. */
  async prepare(scenario: Scenario, options: Omit<SubjectOptions, 'on'>): Promise<Subject> {
    const { machine, defects = [] } = options;
    const key = JSON.stringify([scenario.machine, machine, scenario.cpus.length, [...defects].sort()]);
    const on = this.#machines.get(key);
    const subject = await prepareSubject(scenario, { ...options, ...(on && { on }) });
    this.#machines.set(key, subject.machine);
    return subject;
  }
}
