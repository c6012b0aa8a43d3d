import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readTrace } from '../../../src/host/trace/read.js';
import type { TraceSink } from '../../../src/host/trace/trace.js';

const trace = (name: string): string => fileURLToPath(new URL(`../../../traces/${name}`, import.meta.url));

/** As far as these tests look at a statistics file. */
interface Statistics {
  events: number;
  allocs: number;
  frees: number;
  threads: number;
  live_end_objects: number;
  live_peak_bytes: number;
  types?: number;
  caches?: number;
}

/** Keeps the sizes of the live, so that what comes through can be compared with what was recorded. */
function meter(): TraceSink & { peak: number; live: Map<number, number> } {
  let bytes = 0;
  const live = new Map<number, number>();
  const birth = (id: number, size: number) => {
    live.set(id, size);
    bytes += size;
    it.peak = Math.max(it.peak, bytes);
  };
  const death = (id: number) => {
    bytes -= live.get(id)!;
    live.delete(id);
  };
  const it = {
    live,
    peak: 0,
    alloc: (_cpu: number, id: number, size: number) => birth(id, size),
    free: (_cpu: number, id: number) => death(id),
    realloc: (_cpu: number, id: number, size: number, oldId: number) => {
      death(oldId);
      birth(id, size);
    },
    drain: () => Promise.resolve(),
  };
  return it;
}

test.each(['fd', 'kernel-build', 'kernel-net', 'node-workers', 'redis-io3', 'sqlite'])(
  'the recorded trace %s is read as its statistics say',
  async (name) => {
    const said = JSON.parse(readFileSync(trace(`${name}.txt.json`), 'utf8')) as Statistics;
    const sink = meter();
    const got = await readTrace(trace(`${name}.txt.gz`), sink, { strict: true });
    expect(got).toMatchObject({ format: 'alloctrace', name, bad: { count: 0 }, truncated: false });
    expect(got).toMatchObject({ events: said.events, allocations: said.allocs, frees: said.frees });
    expect(got.threads).toBe(said.threads);
    expect(got.kernel).toBe(name.startsWith('kernel'));
    expect(got.types).toHaveLength((said.types ?? 0) + (said.caches ?? 0));
    expect(sink.live.size).toBe(said.live_end_objects);
    expect(sink.peak).toBe(said.live_peak_bytes);
  },
);
