/** race_show.ts — smpalloc race show: a race of the catalogue, from its story to what to try next. */
import { show } from '../lab/farm/show.js';
import { lessonText } from '../report/race_lesson.js';
import { EXIT_OK, UsageError } from './exit.js';
import { paint, widthOf } from './race_explore.js';
import { type RaceFlags, referenceOf } from './race_options.js';

export async function raceShow(name: string | undefined, flags: RaceFlags): Promise<number> {
  if (name === undefined) throw new UsageError('race show: a name is missing, such as R40; see smpalloc race list');
  const { kind } = referenceOf(name);
  if (kind !== 'catalogue') {
    throw new UsageError(`race show: '${name}' is not of the catalogue; see smpalloc race list --all`);
  }
  const shown = await show(name);
  const text = () => lessonText(shown, paint, { width: widthOf(process.stdout) }).join('\n');
  process.stdout.write(`${flags.json ? JSON.stringify(shown, null, 2) : text()}\n`);
  return EXIT_OK;
}
