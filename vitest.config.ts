/**
 * vitest.config.ts — unit and prop run the engine from source in the test's own thread, which plays every CPU in turn
 * (hw/curcpu.switch.ts); smp and e2e run what was built, on real workers and as a command.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The engine from source: checks on, one thread that can be any CPU. A new one a project: vitest empties `define`. */
const inProcess = () => ({
  define: { INVARIANTS: 'true', DEFECTS: 'true', STEPPED: 'false', SDT: 'false', ALLOCATOR: '-1' },
  plugins: [
    {
      name: 'switchable-curcpu',
      enforce: 'pre' as const,
      resolveId(source: string, importer?: string) {
        if (!source.endsWith('/curcpu.js') || !importer?.includes('/src/') ) return null;
        return fileURLToPath(new URL('src/hw/curcpu.switch.ts', import.meta.url));
      },
    },
  ],
});

export default defineConfig({
  test: {
    // vitest's own number is one less, which on two cores leaves one of them idle
    maxWorkers: availableParallelism(),
    projects: [
      {
        ...inProcess(),
        test: {
          name: 'unit', include: ['test/unit/**/*.test.ts'], exclude: ['test/unit/trace/**'], pool: 'threads',
          testTimeout: 30_000,
        },
      },
      // processes, because Node 20 aborts when a thread ends while one of its named pipes is still being polled
      { test: { name: 'trace', include: ['test/unit/trace/**/*.test.ts'], pool: 'forks', testTimeout: 30_000 } },
      {
        ...inProcess(),
        test: { name: 'prop', include: ['test/prop/**/*.test.ts'], pool: 'threads', testTimeout: 60_000 },
      },
      // the explorer, over the stepped engine that was built
      { test: { name: 'race', include: ['test/race/**/*.test.ts'], pool: 'forks', testTimeout: 60_000 } },
      // CPUs in virtual time, over the modelled engine that was built
      { test: { name: 'model', include: ['test/model/**/*.test.ts'], pool: 'forks', testTimeout: 60_000 } },
      // commands wait a lot (to start, for a terminal, for ^C): two files at a time, when the others are done
      {
        test: {
          name: 'e2e', include: ['test/e2e/*.test.ts'], pool: 'forks', maxWorkers: 2, testTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      // workers that meet, and commands held to a time: one file after the other, with the machine for itself, at last
      {
        test: {
          name: 'smp', include: ['test/smp/**/*.test.ts'], pool: 'forks', fileParallelism: false, testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'alone', include: ['test/e2e/alone/*.test.ts'], pool: 'forks', fileParallelism: false,
          testTimeout: 120_000,
        },
      },
    ],
  },
});
