/**
 * kmalloc.test.ts — any sequence of kmalloc, kfree and krealloc on any CPUs, against a Map of live blocks.
 *
 * Every live block is filled with a pattern of its own, which is verified before it is freed or moved; M_ZERO is
 * believed only after a look; at the end the machine is audited, emptied and audited again.
 * A failure prints its seed and path: fc.assert({ seed, path }) replays it.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FREE_NAMES, STATS_NAMES } from '../../src/base/policy.js';
import { INTR_TICK } from '../../src/hw/intr.layout.js';
import { type Inside, inside } from '../helpers/inside.js';

type Op =
  | { op: 'malloc'; cpu: number; type: number; size: number; flags: 'none' | 'zero' | 'pow2' }
  | { op: 'free'; cpu: number; pick: number }
  | { op: 'realloc'; cpu: number; pick: number; size: number }
  | { op: 'tick' | 'poll' | 'cleanup' | 'shortage'; cpu: number };

const CPUS = 3;
const cpu = fc.nat(CPUS - 1);
const pick = fc.nat(1 << 20);
/** most blocks are small, the edges of classes and the oversized ones come up too */
const size = fc.oneof(
  { weight: 5, arbitrary: fc.nat(300) },
  { weight: 2, arbitrary: fc.nat(9000) },
  { weight: 1, arbitrary: fc.nat(40000) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 8, 127, 128, 1024, 4096, 8184, 8185, 8191, 8192, 8193, 12288, 40000) },
);
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('malloc' as const), cpu, type: fc.nat(2), size,
      flags: fc.constantFrom('none' as const, 'none' as const, 'zero' as const, 'pow2' as const),
    }),
  },
  { weight: 7, arbitrary: fc.record({ op: fc.constant('free' as const), cpu, pick }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('realloc' as const), cpu, pick, size }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constantFrom('tick' as const, 'poll' as const, 'cleanup' as const, 'shortage' as const), cpu,
    }),
  },
);

interface Block {
  readonly type: number;
  readonly size: number;
  readonly id: number;
}

/** The machine under test and what it must agree with. */
class Model {
  readonly m: Inside;
  readonly types: number[];
  readonly live = new Map<number, Block>();
  #ids = 0;

  constructor(m: Inside) {
    this.m = m;
    this.types = ['a', 'b', 'c'].map((name) => m.mallocTypeCreate(name));
    for (const type of this.types) m.kmallocRaiseLimit(type, 0);
  }

  run(ops: readonly Op[]): void {
    for (const [n, step] of ops.entries()) {
      this.m.as(step.cpu);
      this.#step(step);
      // passive messages wait for the clock; half a queue of them would make a sender wait for a CPU that does not run
      if (n % 40 === 39) this.#tickAll();
    }
  }

  #step(step: Op): void {
    const { m } = this;
    if (step.op === 'malloc') this.#malloc(step);
    else if (step.op === 'free') this.#pick(step.pick, (address, block) => this.#free(address, block));
    else if (step.op === 'realloc') this.#pick(step.pick, (address, block) => this.#realloc(address, block, step.size));
    else if (step.op === 'tick') this.#tick();
    else if (step.op === 'poll') m.splz();
    else m.slabCleanup(step.op === 'shortage');
  }

  #malloc({ type, size, flags }: Op & { op: 'malloc' }): void {
    const { m } = this;
    const bits = m.M_NOWAIT | { none: 0, zero: m.M_ZERO, pow2: m.M_POWEROF2 }[flags];
    const address = m.kmalloc(size, this.types[type]!, bits);
    if (address === 0) return;
    if (size === 0) return expect(address).toBe(m.ZERO_LENGTH_PTR);
    const usable = m.kmallocUsable(address);
    expect(usable).toBeGreaterThanOrEqual(size);
    const power = 2 ** Math.ceil(Math.log2(size));
    if (flags === 'pow2' || power === size) expect(address % Math.max(8, power)).toBe(0);
    expect(address % 8).toBe(0);
    if (flags === 'zero') expect(this.#isFilled(address, usable, 0), 'M_ZERO gives zeroes').toBe(true);
    this.#take(address, this.types[type]!, size);
  }

  #free(address: number, block: Block): void {
    this.#verify(address, block);
    this.live.delete(address);
    this.m.kfree(address, block.type);
  }

  #realloc(address: number, block: Block, size: number): void {
    this.#verify(address, block);
    const moved = this.m.krealloc(address, size, block.type, this.m.M_NOWAIT);
    if (size === 0) {
      this.live.delete(address);
      return expect(moved).toBe(0);
    }
    if (moved === 0) return;
    this.live.delete(address);
    this.#verify(moved, { ...block, size: Math.min(size, block.size) });
    this.#take(moved, block.type, size);
  }

  #take(address: number, type: number, size: number): void {
    expect(this.live.has(address), `0x${address.toString(16)} is handed out twice`).toBe(false);
    const id = ++this.#ids;
    this.live.set(address, { type, size, id });
    for (let byte = 0; byte < size; byte++) this.m.u8[address + byte] = pattern(id, byte);
  }

  #verify(address: number, { id, size }: Block): void {
    for (let byte = 0; byte < size; byte++) {
      if (this.m.u8[address + byte] !== pattern(id, byte)) {
        expect.fail(`block ${id} at 0x${address.toString(16)}: byte ${byte} of ${size} is not what was written`);
      }
    }
  }

  #isFilled(address: number, length: number, value: number): boolean {
    for (let byte = 0; byte < length; byte++) if (this.m.u8[address + byte] !== value) return false;
    return true;
  }

  #pick(number: number, act: (address: number, block: Block) => void): void {
    if (this.live.size === 0) return;
    const [address, block] = [...this.live][number % this.live.size]!;
    act(address, block);
  }

  #tick(): void {
    this.m.intr.intrRaise(this.m.engine.curcpu, INTR_TICK);
    this.m.splz();
  }

  #tickAll(): void {
    for (let other = 0; other < CPUS; other++) this.m.on(other, () => this.#tick());
  }

  check(): void {
    const { m } = this;
    const audit = m.quiesceAndAudit();
    expect(audit).toMatchObject({ violations: [], blocks: this.live.size });
    for (const [address, block] of this.live) this.#verify(address, block);
    if (m.configuration.stats === 'none') return;
    let bytes = 0;
    for (const address of this.live.keys()) bytes += m.kmallocUsable(address);
    expect(this.types.reduce((sum, type) => sum + m.mallocTypeMemuse(type), 0)).toBe(bytes);
    expect(audit.bytes).toBe(bytes);
  }

  /** frees what is left, everything on a CPU of its choice, and looks for leaks */
  empty(): void {
    let turn = 0;
    for (const [address, block] of [...this.live]) {
      this.m.as(turn++ % CPUS);
      this.#free(address, block);
      if (turn % 40 === 0) this.#tickAll();
    }
    this.check();
    for (let round = 0; round < 3; round++) {
      this.#tickAll();
      for (let other = 0; other < CPUS; other++) this.m.on(other, () => this.m.slabCleanup(true));
    }
    const audit = this.m.quiesceAndAudit();
    expect(audit).toMatchObject({ violations: [], blocks: 0, bytes: 0, stranded: 0, zones: 0 });
    expect(this.m.page.vmFreeCount()).toBe(this.m.ku.KVA_BYTES / 4096);
  }
}

function pattern(id: number, byte: number): number {
  return (Math.imul(id, 0x9e3779b1) >>> 24) ^ ((byte * 31) & 0xff);
}

const OPTIONS = fc.record({
  stats: fc.constantFrom(...STATS_NAMES.filter((name) => name !== 'mutex-up')),
  signalDelay: fc.constantFrom(0, 0, 1, 5, 'tick' as const),
  invariants: fc.boolean(),
  tunables: fc.record({
    'kern.zone_cache': fc.constantFrom(0, 1, 32),
    'kern.rbatch': fc.constantFrom(1, 2, 32),
  }),
});

describe('kmalloc, kfree and krealloc on any CPU keep every block whole and every identity true', () => {
  test.each(FREE_NAMES)('policy %s', async (free) => {
    await fc.assert(
      fc.asyncProperty(OPTIONS, fc.array(op, { minLength: 1, maxLength: 400, size: 'max' }), async (options, ops) => {
        const model = new Model(await inside({ ...options, free, cpus: CPUS, memory: '8MiB' }));
        model.run(ops);
        model.check();
        model.empty();
      }),
      { numRuns: 20 },
    );
  });

  test('in a memory that is too small', async () => {
    await fc.assert(
      fc.asyncProperty(
        OPTIONS, fc.constantFrom(...FREE_NAMES), fc.array(op, { minLength: 100, maxLength: 600, size: 'max' }),
        async (options, free, ops) => {
          const model = new Model(await inside({ ...options, free, cpus: CPUS, memory: '2560KiB' }));
          model.run(ops);
          model.check();
          model.empty();
        },
      ),
      { numRuns: 15 },
    );
  });
});
