/**
 * top.ts — what does a sample of `smpalloc top` take? Reading, comparing and drawing, while larson runs on the machine.
 *
 *   node dist/bench/top.js
 *
 * Medians of SAMPLES, in the host's own process, so that nothing of it is the socket's. What reading takes from
 * the CPUs is measured in observer.ts, at a thousand readings a second.
 */
import { availableParallelism } from 'node:os';
import type { AllocName } from '../src/base/policy.js';
import { boot } from '../src/host/machine.js';
import { intervalBetween } from '../src/observe/interval.js';
import { readSample, type Sample } from '../src/observe/sample.js';
import { memorySource } from '../src/observe/sysctl.js';
import { short, table } from '../src/report/table.js';
import { FIRST_VIEW, topScreen } from '../src/report/top_text.js';
import { median, WORKLOADS } from '../src/suite/suite.js';

const SAMPLES = 200;
const BLOCKS = 5000;
const VIEW = { ...FIRST_VIEW, source: 'larson', waitMs: 1000, look: 'unicode' } as const;
const SIZE = { columns: 120, rows: 40 };

interface Row {
  alloc: AllocName;
  cpus: number;
  memory: string;
  readUs: number;
  drawUs: number;
}

async function measure(alloc: AllocName, cpus: number, memory: string): Promise<Row> {
  await using machine = await boot({ alloc, cpus, memory });
  const [types] = (await machine.run(WORKLOADS, 'defineTypes', [['temp']])) as number[][];
  const areas = await machine.run(WORKLOADS, 'allocateArea', [BLOCKS * 4, types![0]]);
  const x = await machine.run(WORKLOADS, 'larsonSetup', [types![0], areas, 1]);
  let over = false;
  const work = (async () => {
    for (let round = 0; !over; round += 4) {
      await machine.run(WORKLOADS, 'larson', [types![0], areas, 10, round, 4, x]);
    }
  })();
  const source = memorySource(machine.memory);
  const times: Record<'read' | 'draw', number[]> = { read: [], draw: [] };
  let before: Sample | null = null;
  for (let n = 0; n < SAMPLES; n++) {
    const begin = performance.now();
    const now: Sample = await readSample(source);
    const middle = performance.now();
    topScreen(intervalBetween(before, now), VIEW, SIZE);
    times.read.push((middle - begin) * 1000);
    times.draw.push((performance.now() - middle) * 1000);
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  over = true;
  await work;
  return { alloc, cpus, memory, readUs: median(times.read), drawUs: median(times.draw) };
}

const cores = availableParallelism();
const rows: Row[] = [];
for (const [cpus, memory] of [[cores, '256MiB'], [cores, '2GiB'], [16, '1GiB']] as const) {
  for (const alloc of ['dragonfly', 'freebsd'] as const) rows.push(await measure(alloc, cpus, memory));
}
console.log(`Node ${process.version}, ${cores} cores; larson; medians of ${SAMPLES} samples`);
console.log(
  table<Row>(
    [
      { head: 'allocator', cell: ({ alloc }) => alloc, left: true },
      { head: 'CPUs', cell: ({ cpus }) => String(cpus) },
      { head: 'memory', cell: ({ memory }) => memory },
      { head: 'µs to read', cell: ({ readUs }) => short(readUs) },
      { head: 'µs to draw', cell: ({ drawUs }) => short(drawUs) },
      { head: 'of a core, once a second', cell: (row) => `${((row.readUs + row.drawUs) / 10_000).toFixed(2)} %` },
    ],
    rows,
  ),
);
