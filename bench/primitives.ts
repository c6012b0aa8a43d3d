/**
 * primitives.ts — what an access costs: the ratio every design here lives by.
 *
 *   node dist/bench/primitives.js
 *
 * Plain accesses to a view against Atomics, and the 64-bit counters the statistics could have used. One thread.
 */
import { Bench } from 'tinybench';

const BATCH = 10_000;
const sab = new SharedArrayBuffer(4096);
const i32 = new Int32Array(sab);
const i64 = new BigInt64Array(sab);
const f64 = new Float64Array(sab);

/** Times `loop`, which makes BATCH operations, and reports one. */
const batch = (loop: () => void) => () => {
  const start = performance.now();
  loop();
  const ms = performance.now() - start;
  return { overriddenDuration: ms / BATCH, overriddenIterationCost: ms };
};

const bench = new Bench({ name: 'primitives', time: 200 });
bench
  .add('plain i32 += 1', batch(() => { for (let n = 0; n < BATCH; n++) i32[8] = i32[8]! + 1; }))
  .add('plain i64 += 1n', batch(() => { for (let n = 0; n < BATCH; n++) i64[8] = i64[8]! + 1n; }))
  .add('plain f64 += 1', batch(() => { for (let n = 0; n < BATCH; n++) f64[8] = f64[8]! + 1; }))
  .add('Atomics.load', batch(() => { for (let n = 0; n < BATCH; n++) Atomics.load(i32, 8); }))
  .add('Atomics.store', batch(() => { for (let n = 0; n < BATCH; n++) Atomics.store(i32, 8, n); }))
  .add('Atomics.add', batch(() => { for (let n = 0; n < BATCH; n++) Atomics.add(i32, 8, 1); }))
  .add('Atomics.compareExchange', batch(() => {
    for (let n = 0; n < BATCH; n++) Atomics.compareExchange(i32, 8, n, n + 1);
  }))
  .add('Atomics.add on i64', batch(() => { for (let n = 0; n < BATCH; n++) Atomics.add(i64, 8, 1n); }))
  .add('Atomics.notify, nobody waits', batch(() => { for (let n = 0; n < BATCH; n++) Atomics.notify(i32, 8); }));
await bench.run();
console.log(`Node ${process.version}`);
console.table(
  bench.table(({ name, result }) =>
    result.state === 'completed'
      ? { operation: name, ns: (result.latency.p50 * 1e6).toFixed(2), p99: (result.latency.p99 * 1e6).toFixed(2) }
      : { operation: name, ns: result.state, p99: '' },
  ),
);
