/**
 * The stepped form is the native form: the same operations of one CPU, natively and through the scheduler, leave the
 * same memory, byte for byte.
 */
import { describe, expect, it } from 'vitest';
import { ALLOC_NAMES } from '../../src/base/policy.js';
import { format } from '../../src/host/format.js';
import { configure } from '../../src/host/options.js';
import { prepareReplay } from '../../src/host/prepare_replay.js';
import { engineUrl, packageRoot } from '../../src/host/root.js';
import { BINDING } from '../../src/hw/ticket.js';
import { bootStepped } from '../../src/lab/stepped.js';
import type * as Phases from '../../src/workload/phases.js';

const OPERATIONS = 100_000;
const OPTIONS = { cpus: 1, memory: '64MiB' } as const;
type Alloc = (typeof ALLOC_NAMES)[number];
type Part = { cpu: number; rank: number; parties: number };
const PART: Part = { cpu: 0, rank: 0, parties: 1 };
type Step = (phases: typeof Phases) => unknown;

/** The workload as a list of steps over what the ones before returned. */
type Workload = (call: <T>(step: (phases: typeof Phases) => T) => T) => void;

const type = (phases: typeof Phases): number => phases.defineTypes(PART, ['equivalence'])[0]!;

const WORKLOADS: Record<string, Workload> = {
  pair(call) {
    const t = call(type);
    for (let n = 0; n < 50; n++) call((p) => p.pair(PART, t, 64, OPERATIONS / 100));
  },
  local(call) {
    const t = call(type);
    const area = call((p) => p.allocateArea(PART, p.AREA_BYTES.local, t));
    let x = 0;
    for (let n = 0; n < 50; n++) x = call((p) => p.local(PART, t, [area], OPERATIONS / 50, [x])).x;
  },
  larson(call) {
    const t = call(type);
    const area = call((p) => p.allocateArea(PART, p.AREA_BYTES.larson, t));
    let x = call((p) => p.larsonSetup(PART, t, [area], 1));
    for (let n = 0; n < 10; n++) x = call((p) => p.larson(PART, t, [area], 1, n, 1, [x])).x;
  },
  xmalloc(call) {
    const t = call(type);
    const queue = call((p) => p.allocateArea(PART, p.AREA_BYTES.xmalloc, t));
    for (let n = 0; n < 13; n++) {
      call((p) => p.xmalloc(PART, t, queue, 64, 1, 1));
      call((p) => p.xmalloc({ ...PART, rank: 1 }, t, queue, 64, 1, 1));
    }
  },
  ring(call) {
    const t = call(type);
    const ring = call((p) => p.allocateArea(PART, p.ringBytes(256), t));
    for (let n = 0; n < 50; n++) call((p) => p.ring(PART, t, [ring], 256, 128, OPERATIONS / 100));
  },
  stats(call) {
    const t = call(type);
    for (let n = 0; n < 50; n++) call((p) => p.statsUpdate(PART, t, OPERATIONS / 100));
    for (let n = 0; n < 50; n++) call((p) => p.statsMalloc(PART, t, 64, OPERATIONS / 100));
  },
};

/** The recorded trace that ships, folded onto one CPU. */
async function replay(): Promise<Workload> {
  const path = new URL('traces/redis-io3.txt.gz', packageRoot).pathname;
  const { windows, summary } = await prepareReplay({ path, cpus: 1 });
  const window = windows[0]!;
  const events = Math.min(window.events[0]!, OPERATIONS);
  return (call) => {
    const names = Array.from({ length: window.types + 1 }, (_, n) => summary.types[n] ?? `type ${n}`);
    const types = call((p) => p.defineTypes(PART, names));
    const table = call((p) => p.allocateArea(PART, window.slots * 4, types[0]!));
    for (let from = 0; from < events; from += 2000) {
      const count = Math.min(2000, events - from);
      const program = new SharedArrayBuffer(count * 16);
      new Int32Array(program).set(new Int32Array(window.programs[0]!, from * 16, count * 4));
      call((p) => p.replay(PART, [program], [count], table, types));
    }
  };
}

async function natively(workload: Workload, alloc: Alloc): Promise<Buffer> {
  const heap = format(configure({ ...OPTIONS, alloc }));
  const isolate = globalThis as Record<symbol, unknown>;
  isolate[BINDING] = { heap, cpu: 0 };
  delete isolate[Symbol.for('smpalloc.ipifuncs')];
  const copy = `?copy=${Math.random()}`;
  const engine = await import(`${engineUrl(heap, 'engine.js').href}${copy}`);
  const phases = (await import(`${engineUrl(heap, 'workloads.js').href}${copy}`)) as typeof Phases;
  engine.cpuStartup();
  engine.phaseEnter();
  workload((step) => step(phases));
  return Buffer.from(new Uint8Array(heap));
}

async function stepped(workload: Workload, alloc: Alloc): Promise<Buffer> {
  const { engine, heap, splz, critWords } = await bootStepped({ ...OPTIONS, alloc });
  const { access, run, shadow, failure } = engine;
  shadow.checks.races = false;
  access.options.allPoints = true;
  access.options.stepLimit = Number.POSITIVE_INFINITY;
  access.hooks.decide = () => (access.enabled() !== 0 ? 0 : -1);
  workload((step) => {
    let value: unknown;
    const operation = () => {
      value = (step as Step)(engine.phases as unknown as typeof Phases);
    };
    run.prepare([{ cpu: 0, operations: [operation] }], 1, splz, critWords, { interrupts: false, tso: false });
    run.run();
    if (failure.execution.failure) throw new Error(failure.execution.failure.message);
    return value as never;
  });
  return Buffer.from(new Uint8Array(heap));
}

describe.each(ALLOC_NAMES)(
  `${OPERATIONS.toLocaleString('en')} operations, native and stepped, end in the same memory: %s`,
  (alloc) => {
    for (const [name, workload] of Object.entries(WORKLOADS)) {
      it(name, async () => {
        expect(Buffer.compare(await natively(workload, alloc), await stepped(workload, alloc))).toBe(0);
      });
    }

    it('replay of a recorded trace', async () => {
      const workload = await replay();
      expect(Buffer.compare(await natively(workload, alloc), await stepped(workload, alloc))).toBe(0);
    });
  },
);
