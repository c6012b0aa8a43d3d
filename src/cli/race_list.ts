/** race_list.ts — smpalloc race list: the catalogue. */
import { FAILURE_CLASSES } from '../base/failures.js';
import { catalogue } from '../lab/catalogue/index.js';
import { TOKENS } from '../lab/catalogue/tokens.js';
import { expectedFailures } from '../lab/farm/regress.js';
import type { Scenario } from '../lab/scenario.js';
import { table } from '../report/table.js';
import type { RaceFlags } from './race_options.js';

export function raceList(flags: RaceFlags): number {
  const listed = catalogue.map(entry);
  if (flags.json) process.stdout.write(`${JSON.stringify({ scenarios: listed, classes: FAILURE_CLASSES }, null, 2)}\n`);
  else process.stdout.write(`${text(listed)}\n`);
  return 0;
}

type Entry = ReturnType<typeof entry>;

function entry(scenario: Scenario) {
  const { name, title = '', origin, cpus, defects = [], expect = {} } = scenario;
  const failures = expectedFailures(scenario).map(({ defects: on, cls }) => {
    const known = TOKENS.find((one) => one.scenario === name && one.defects.join() === on.join());
    return { defects: on, cls, token: known?.token ?? null };
  });
  return { name, title, origin, cpus: cpus.length, defects, expect: expect.verdict ?? 'pass', failures };
}

/** A line a failure there is; one for those that only pass. */
function text(listed: readonly Entry[]): string {
  const rows = listed.flatMap(({ name, cpus, origin, failures }) => {
    const first = [name, String(cpus)];
    if (failures.length === 0) return [[...first, 'pass', '-', '-', origin]];
    return failures.map(({ defects, cls, token }, n) => [
      ...(n === 0 ? first : ['', '']), cls, defects.join(',') || '-', token ?? '?', n === 0 ? origin : '',
    ]);
  });
  const heads = ['scenario', 'CPUs', 'class', '--defect', 'token', 'origin'];
  return table(heads.map((head, n) => ({ head, cell: (row: string[]) => row[n]!, left: n !== 1 })), rows);
}
