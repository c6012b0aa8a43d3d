/** probe.ts — smpalloc probe: what things cost on this machine, as a cost profile of the model. */
import { accessSync, constants, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CAC } from 'cac';
import type { Sample, SampleName } from '../host/probe.js';
import { type HostProfile, probe, SAMPLE_TITLES } from '../lab/model/host_profile.js';
import { COSTS } from '../lab/model/profiles.js';
import { environment } from '../report/environment.js';
import { short, table } from '../report/table.js';
import { colorsFor } from './colors.js';
import { UsageError } from './exit.js';
import type { Session } from './session.js';

interface ProbeFlags {
  json?: boolean;
  o?: unknown;
}

export function probeCommand(cli: CAC, session: Session): void {
  cli
    .command('probe', 'What lines, Atomics, sleeping and waking cost on this machine: the cost profile host')
    .option('-o <FILE>', 'write the cost profile, for smpalloc model --profile FILE')
    .option('--json', 'print the cost profile, not tables')
    .example('smpalloc probe')
    .example('smpalloc probe -o host.json && smpalloc model --profile ./host.json')
    .action((flags: ProbeFlags) => session.run(() => run(flags, session)));
}

async function run(flags: ProbeFlags, session: Session): Promise<number> {
  const path = flags.o === undefined ? null : String(flags.o);
  // a wrong name is said before it has cost time
  if (path !== null) writing(path, () => accessSync(dirname(path), constants.W_OK));
  const result = await probe({ signal: session.signal });
  const profile = `${JSON.stringify(result.profile, null, 2)}\n`;
  if (path !== null) writing(path, () => writeFileSync(path, profile));
  process.stdout.write(flags.json ? profile : text(result));
  for (const note of result.notes) process.stderr.write(`note: ${note}\n`);
  return 0;
}

function writing(path: string, act: () => void): void {
  try {
    act();
  } catch (cause) {
    const { message } = cause as Error;
    throw new UsageError(`-o: '${path}' cannot be written (${message}); expected a file`, { cause });
  }
}

function text({ profile, probe: { samples, cores, seconds } }: HostProfile): string {
  const { bold, dim } = colorsFor(process.stdout);
  const { smpalloc, node, cpu, os } = environment(1, false);
  const where = dim(`smpalloc ${smpalloc}, Node ${node}, ${cpu} (${cores} cores), ${os}`);
  const measured = Object.entries(samples) as [SampleName, Sample][];
  const ns = (head: string, pick: (sample: Sample) => number) => ({
    head, cell: ([, sample]: [SampleName, Sample]) => short(pick(sample)),
  });
  const samplesTable = table(
    [
      { head: 'measured', cell: ([name]) => SAMPLE_TITLES[name], left: true },
      ns('batches', ({ n }) => n), ns('left out', ({ busy }) => busy), ns('min', ({ min }) => min),
      ns('p10', ({ p10 }) => p10), ns('median', ({ median }) => median), ns('p90', ({ p90 }) => p90),
    ],
    measured,
  );
  const costs = table(
    [
      { head: 'cost', cell: (cost) => cost, left: true }, { head: 'ns', cell: (cost) => short(profile.ns[cost]) },
      // its numbers stand in the table above
      { head: 'from', cell: (cost) => profile.sources[cost].split(';')[0]!, left: true },
    ],
    COSTS,
  );
  const heads = [`${bold('probe')}  ${dim(`nanoseconds, in ${seconds.toFixed(1)} s`)}`, `${bold('cost profile host')}`];
  return `${where}\n\n${heads[0]}\n${samplesTable}\n\n${heads[1]}\n${costs}\n`;
}
