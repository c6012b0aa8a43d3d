/**
 * rolldown.config.mjs — one bundle an entry, no shared chunks: an imported constant is not a constant to V8
 * (docs/design/building.md has the measurements).
 *
 * Engine code exists in two flavours, chosen when a machine boots: `release`, and `invariants` with bitmaps, poisoning,
 * owner checks and the count of locked operations.
 */
import { readdirSync } from 'node:fs';
import { constFunctions } from './scripts/const-functions.mjs';

const packages = ['comlink', 'cac', 'picocolors', 'valibot', 'simple-statistics', 'piscina', 'tinybench'];
const external = (id) => id.startsWith('node:') || packages.some((name) => id === name || id.startsWith(`${name}/`));

function bundle(input, file, invariants = false) {
  return {
    input,
    platform: 'node',
    external,
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    transform: { target: 'es2023', define: { INVARIANTS: String(invariants) } },
    plugins: [constFunctions()],
    output: { file: `dist/${file}`, format: 'esm', sourcemap: true, codeSplitting: false },
  };
}

const host = [
  bundle('src/index.ts', 'index.js'),
  bundle('src/vcpu.ts', 'vcpu.js'),
  bundle('src/phase_engine.ts', 'engine.js'),
  bundle('src/cli/main.ts', 'cli.js'),
  bundle('workers/job.ts', 'job.js'),
  ...readdirSync('bench')
    .filter((name) => name.endsWith('.ts'))
    .map((name) => bundle(`bench/${name}`, `bench/${name.replace('.ts', '.js')}`)),
];

const engine = ['release', 'invariants'].flatMap((flavour) => [
  bundle('workers/vcpu.ts', `${flavour}/vcpu.js`, flavour === 'invariants'),
  bundle('src/workload/index.ts', `${flavour}/workloads.js`, flavour === 'invariants'),
  bundle('src/engine.ts', `${flavour}/engine.js`, flavour === 'invariants'),
]);

export default [...host, ...engine];
