/**
 * rolldown.config.mjs — one bundle an entry, no shared chunks: an imported constant is not a constant to V8
 * (docs/design/building.md has the measurements).
 *
 * Engine code exists in flavours, and for each allocator: a machine runs one for life. A machine boots `release`, or
 * `invariants` with bitmaps, poisoning, owner checks and the count of locked operations. The explorer loads the
 * `stepped` ones: every access to memory asks a scheduler first. The model's charge for it.
 */
import { readdirSync } from 'node:fs';
import { allocator } from './scripts/allocator.mjs';
import { constFunctions } from './scripts/const-functions.mjs';
import { stepped } from './scripts/stepped.mjs';

const root = new URL('.', import.meta.url);
const packages = [
  'comlink', 'cac', 'picocolors', 'valibot', 'simple-statistics', 'piscina', 'tinybench', 'd3-scale', 'd3-shape',
];
const external = (id) => id.startsWith('node:') || packages.some((name) => id === name || id.startsWith(`${name}/`));

/** by their numbers in base/policy.ts */
const ALLOCATORS = ['dragonfly', 'freebsd'];
/** constants of a flavour: checks, switchable defects (base/defects.ts), marks and probes (hw/kasan, hw/sdt) */
const FLAVOURS = {
  release: { INVARIANTS: 'false', DEFECTS: 'false', STEPPED: 'false', SDT: 'false' },
  invariants: { INVARIANTS: 'true', DEFECTS: 'true', STEPPED: 'false', SDT: 'false' },
  stepped: { INVARIANTS: 'false', DEFECTS: 'true', STEPPED: 'true', SDT: 'false' },
  'stepped-invariants': { INVARIANTS: 'true', DEFECTS: 'true', STEPPED: 'true', SDT: 'false' },
  // a scheduler makes the accesses, and nobody watches whose memory it is
  model: { INVARIANTS: 'false', DEFECTS: 'false', STEPPED: 'false', SDT: 'true' },
};

function bundle(input, file, flavour = 'release', { form = '', alloc = '' } = {}) {
  const define = { ...FLAVOURS[flavour], ALLOCATOR: String(ALLOCATORS.indexOf(alloc)) };
  const plugins = alloc === '' ? [] : [allocator(alloc)];
  return {
    input,
    platform: 'node',
    external,
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    transform: { target: 'es2023', define },
    plugins: [...plugins, ...(form === '' ? [] : [stepped(root, form)]), constFunctions()],
    output: { file: `dist/${file}`, format: 'esm', sourcemap: true, codeSplitting: false },
  };
}

const host = [
  bundle('src/index.ts', 'index.js'),
  bundle('src/vcpu.ts', 'vcpu.js'),
  bundle('src/phase_engine.ts', 'engine.js'),
  bundle('src/race.ts', 'race.js'),
  bundle('src/memstat.ts', 'memstat.js'),
  bundle('src/cli/main.ts', 'cli.js'),
  bundle('src/report/html/report.ts', 'report.js'),
  bundle('workers/job.ts', 'job.js'),
  bundle('workers/baton.ts', 'baton.js'),
  bundle('workers/stress.ts', 'stress.js'),
  bundle('workers/litmus.ts', 'litmus.js'),
  bundle('workers/probe.ts', 'probe.js'),
  ...readdirSync('bench')
    .filter((name) => name.endsWith('.ts'))
    .map((name) => bundle(`bench/${name}`, `bench/${name.replace('.ts', '.js')}`)),
];

const engine = ALLOCATORS.flatMap((alloc) =>
  ['release', 'invariants'].flatMap((flavour) => [
    bundle('workers/vcpu.ts', `${alloc}/${flavour}/vcpu.js`, flavour, { alloc }),
    bundle('src/workload/index.ts', `${alloc}/${flavour}/workloads.js`, flavour, { alloc }),
    bundle('src/engine.ts', `${alloc}/${flavour}/engine.js`, flavour, { alloc }),
  ]),
);

const explored = ['stepped', 'stepped-invariants'].flatMap((flavour) =>
  ['stepped', 'baton', 'stress'].map((form) =>
    bundle('src/stepped.ts', `${flavour.replace('stepped', form)}/engine.js`, flavour, { form }),
  ),
);

const modelled = ALLOCATORS.map((alloc) =>
  bundle('src/modelled.ts', `${alloc}/model/engine.js`, 'model', { form: 'model', alloc }),
);

export default [...host, ...engine, ...explored, ...modelled];
