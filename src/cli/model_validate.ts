/** model_validate.ts — smpalloc model --validate: predicted against measured, pair by pair. */
import { probe } from '../lab/model/host_profile.js';
import { environment } from '../report/environment.js';
import { validateText } from '../report/validate_text.js';
import type { ModelOptions } from '../suite/model.js';
import { isWithin, pairs, validate } from '../suite/validate.js';
import { colorsFor } from './colors.js';
import { EXIT_CLAIM, EXIT_INTERRUPTED, EXIT_OK, UsageError } from './exit.js';
import type { ModelFlags } from './model.js';
import { suiteOptions } from './options.js';
import type { Session } from './session.js';

const colors = colorsFor(process.stdout);
const paint = { good: colors.green, bad: colors.red, strong: colors.bold, dim: colors.dim };

/** @returns the exit code: 1 when a pair is further off than the target */
export async function validateModel(o: ModelOptions, flags: ModelFlags, session: Session): Promise<number> {
  for (const flag of ['cpus', 'free', 'stats', 'signalDelay', 'profile', 'shard', 'html'] as const) {
    if (flags[flag] === undefined) continue;
    const name = flag === 'signalDelay' ? 'signal-delay' : flag;
    throw new UsageError(`--${name}: --validate has its own: every policy at 1 and 2 CPUs under the profile host`);
  }
  const progress = session.progress(flags.quiet === true);
  progress.suite('validate');
  progress.update(0, 0, 'probing this machine');
  const host = await probe({ signal: session.signal });
  const nativeFlags = { quiet: true, ...(flags.alloc !== undefined && { alloc: flags.alloc }) };
  const native = suiteOptions(nativeFlags, session.signal, (done, of, what) => progress.update(done, of, what));
  const both = await validate(native, o, host.profile);
  progress.clear();
  if (flags.json) {
    const record = {
      schema: 'smpalloc-validate/1', environment: environment(2, false), command: session.command,
      profile: host.profile, throughput: both, pairs: pairs(both).map((pair) => ({ ...pair, within: isWithin(pair) })),
      complete: !session.signal.aborted,
    };
    process.stdout.write(`${JSON.stringify(record)}\n`);
  } else process.stdout.write(`${validateText(both, paint)}\n`);
  if (!flags.quiet) for (const note of host.notes) process.stderr.write(`note: ${note}\n`);
  if (session.signal.aborted) return EXIT_INTERRUPTED;
  return pairs(both).every(isWithin) ? EXIT_OK : EXIT_CLAIM;
}
