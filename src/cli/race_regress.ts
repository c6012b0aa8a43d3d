/** race_regress.ts — smpalloc race regress: every known failure, once more. */
import { existsSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type Mourner, RaceFarm } from '../host/race_farm.js';
import { packageRoot } from '../host/root.js';
import { catalogue } from '../lab/catalogue/index.js';
import { type StoredToken, TOKENS } from '../lab/catalogue/tokens.js';
import { expectedFailures, type Learned, type Regressed } from '../lab/farm/regress.js';
import { EXIT_CLAIM, EXIT_INTERRUPTED, EXIT_OK, UsageError } from './exit.js';
import { paint } from './race_explore.js';
import { lanesOf, patienceOf, type RaceFlags } from './race_options.js';
import type { Session } from './session.js';

const MOURNER: Mourner = {
  stuck: () => new Error('a scenario of the catalogue never yields'),
  died: (cause) => cause,
};

export interface RegressFlags extends RaceFlags {
  update?: boolean;
}

export async function raceRegress(flags: RegressFlags, session: Session): Promise<number> {
  await using farm = new RaceFarm(lanesOf(flags), patienceOf(flags));
  session.signal.addEventListener('abort', () => farm.stop());
  const progress = session.progress(flags.quiet === true);
  progress.suite('race regress');
  const all = flags.update ? catalogue.length : TOKENS.length;
  const timer = setInterval(() => progress.update(farm.work, all, `${farm.work} of ${all}`), 100);
  try {
    return flags.update ? await update(farm, session) : await regress(farm, flags, session);
  } finally {
    clearInterval(timer);
    progress.clear();
  }
}

async function regress(farm: RaceFarm, flags: RegressFlags, session: Session): Promise<number> {
  const start = performance.now();
  const lanes = Math.min(farm.lanes, availableParallelism());
  // neighbours share machines: one lane gets them all
  const size = Math.ceil(TOKENS.length / lanes);
  const parts = Array.from({ length: lanes }, (_, n) => TOKENS.slice(n * size, (n + 1) * size));
  const runs = parts.map((tokens) => farm.run<Regressed[]>({ do: 'regress', tokens }, MOURNER));
  const done = (await Promise.all(runs)).flat();
  const wrong = done.filter(({ problem }) => problem !== '');
  const missing = catalogue.flatMap((scenario) => (
    expectedFailures(scenario)
      .filter(({ defects }) => !TOKENS.some((t) => t.scenario === scenario.name && t.defects.join() === defects.join()))
      .map(({ defects, cls }) => `${scenario.name}${defects.length > 0 ? ` with ${defects.join(', ')}` : ''}: ${cls}`)
  ));
  const seconds = (performance.now() - start) / 1000;
  if (flags.json) {
    const results = done.map(({ stored, problem }) => ({ ...stored, problem }));
    process.stdout.write(`${JSON.stringify({ schema: 'smpalloc-race-regress-1', seconds, results, missing })}\n`);
  } else {
    const lines = wrong.map(({ stored, problem }) => `${paint.bad('FAIL')} ${spell(stored)}: ${problem}\n`);
    const verdict = wrong.length > 0 ? paint.bad('FAIL') : paint.good('PASS');
    const what = 'known failures show again, and pass without their defect';
    const counts = `${done.length - wrong.length} of ${TOKENS.length}`;
    process.stdout.write(`${lines.join('')}${verdict}: ${counts} ${what}; ${seconds.toFixed(1)} s\n`);
  }
  if (missing.length > 0 && !flags.quiet) {
    process.stderr.write(`no token yet: ${missing.join('; ')} (race regress --update)\n`);
  }
  if (session.signal.aborted) return EXIT_INTERRUPTED;
  return wrong.length > 0 ? EXIT_CLAIM : EXIT_OK;
}

const spell = ({ scenario, defects, token }: StoredToken): string =>
  `${scenario} ${token}${defects.length > 0 ? ` --defect ${defects.join(',')}` : ''}`;

/** Finds every expected failure anew and writes the list. */
async function update(farm: RaceFarm, session: Session): Promise<number> {
  const path = new URL('src/lab/catalogue/tokens.ts', packageRoot);
  if (!existsSync(path)) throw new UsageError('--update: only in a clone: it writes src/lab/catalogue/tokens.ts');
  const learned = await Promise.all(catalogue.map(({ name }) => (
    farm.run<Learned>({ do: 'learn', name, defects: [] }, MOURNER)
  )));
  if (session.signal.aborted) return EXIT_INTERRUPTED;
  const tokens = learned.flatMap((one) => one.tokens);
  const problems = learned.flatMap((one) => one.problems);
  writeFileSync(path, source(tokens));
  process.stdout.write(`${tokens.length} tokens written to src/lab/catalogue/tokens.ts; build again to use them\n`);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  return problems.length > 0 ? EXIT_CLAIM : EXIT_OK;
}

function source(tokens: readonly StoredToken[]): string {
  const lines = tokens.map(({ scenario, defects, cls, token }) => {
    const names = defects.map((name) => `'${name}'`).join(', ');
    return `  { scenario: '${scenario}', defects: [${names}], cls: '${cls}', token: '${token}' },`;
  });
  return [
    '/**',
    ' * tokens.ts — known failures: of each scenario and defect, the smallest schedule that shows it. `race regress` replays',
    ' * them all; this list is written by `smpalloc race regress --update`.',
    ' */',
    "import type { FailureClass } from '../../base/failures.js';",
    '',
    'export interface StoredToken {',
    '  readonly scenario: string;',
    '  /** switched on; none where the scenario fails by itself */',
    '  readonly defects: readonly string[];',
    '  readonly cls: FailureClass;',
    '  readonly token: string;',
    '}',
    '',
    'export const TOKENS: readonly StoredToken[] = [',
    ...lines,
    '];',
    '',
  ].join('\n');
}
