/** Whatever bytes come for a stream or a core: numbers survive, nonsense is an error, nothing hangs. */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { streamSource } from '../../src/host/sysctl_source.js';
import { mallocStream } from '../../src/observe/malloc_stream.js';
import { mallocTypes } from '../../src/observe/malloc_types.js';
import { Memory } from '../../src/observe/memory.js';
import * as ms from '../../src/observe/memstat/index.js';
import { observableNames, observe } from '../../src/observe/sysctl.js';
import { StreamWriter } from '../../src/observe/stream.js';
import { umaStream } from '../../src/observe/uma_stream.js';
import { type Observed, observed } from '../helpers/observed.js';

let o: Observed;
let malloc: Uint8Array;
let uma: Uint8Array;
beforeAll(async () => {
  o = await observed({ memory: '4MiB' });
  malloc = mallocStream(o.m.memory);
  uma = umaStream(o.m.memory);
});

const parse = (bytes: Uint8Array): void => {
  for (const query of [ms.memstatParseMalloc, ms.memstatParseUma]) {
    const list = ms.memstatMtlAlloc();
    const result = query(list, bytes);
    if (result === 0) expect(ms.memstatMtlGeterror(list)).toBe(0);
    else {
      expect(ms.memstatMtlFirst(list)).toBeNull();
      expect(ms.memstatStrerror(ms.memstatMtlGeterror(list))).toMatch(/Version|CPUs|Data format/);
    }
  }
};

test('any numbers survive the way through a stream', () => {
  const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const slot = fc.tuple(u64, u64, u64, u64, u64);
  const name = fc.string({ minLength: 1, maxLength: 31, unit: fc.constantFrom(...'abcdefgh_ 0123456789') });
  const types = fc.uniqueArray(fc.record({ name, cpus: fc.array(slot, { minLength: 2, maxLength: 2 }) }), {
    selector: (type) => type.name, maxLength: 20,
  });
  fc.assert(fc.property(types, (given) => {
    const out = new StreamWriter(16 + given.length * (32 + 128));
    out.header(2, given.length);
    for (const { name, cpus } of given) {
      out.text(name, 32);
      for (const cpu of cpus) out.u64(...cpu, 0n, 0n, 0n);
    }
    const list = ms.memstatMtlAlloc();
    expect(ms.memstatParseMalloc(list, out.bytes)).toBe(0);
    const values = ({ memalloced, memfreed, numallocs, numfrees, sizemask }: ms.MemoryTypeCpu) =>
      [memalloced, memfreed, numallocs, numfrees, sizemask];
    const read = [...list].reverse().map((type) => ({
      name: type.name, cpus: [0, 1].map((cpu) => values(type.percpu(cpu))),
    }));
    expect(read).toEqual(given);
    for (const type of list) {
      expect(type.bytes).toBe(BigInt.asUintN(64, type.memalloced - type.memfreed));
      expect(type.count >= 0n && type.count < 2n ** 64n).toBe(true);
    }
  }));
});

test('a stream that is cut anywhere is an error', () => {
  fc.assert(fc.property(fc.boolean(), fc.nat(), (which, cut) => {
    const whole = which ? malloc : uma;
    const short = whole.slice(0, cut % whole.length);
    parse(short);
    expect(() => streamSource('file', short)).toThrow('file: expected a live machine');
  }));
});

test('bits that flipped on the way are read, or refused', () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 8 });
  fc.assert(fc.property(fc.boolean(), flips, (which, at) => {
    const bytes = (which ? malloc : uma).slice();
    for (const [byte, bit] of at) bytes[byte % bytes.length]! ^= 1 << bit;
    parse(bytes);
  }));
});

test('a newer version is told from nonsense', () => {
  fc.assert(fc.property(fc.integer({ min: 2, max: 255 }), (version) => {
    const bytes = malloc.slice();
    new DataView(bytes.buffer).setUint32(0, version, true);
    expect(() => streamSource('file', bytes)).toThrow(`of version ${version}`);
  }));
});

test('foreign bytes never crash a reader', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 4096 }), (bytes) => {
    parse(bytes);
    try {
      streamSource('file', bytes);
    } catch (error) {
      expect((error as Error).message).toContain('file: expected a live machine');
    }
  }));
});

test('every name has an answer, whatever the memory behind the superblock has become', () => {
  const whole = new Int32Array(new Uint8Array(o.m.heap).slice().buffer);
  const image = o.m.memory.sb(42) * 1024;
  const value = fc.oneof(fc.integer(), fc.nat(whole.length * 4), fc.constant(0));
  const pokes = fc.array(fc.tuple(fc.boolean(), fc.nat(), value), { minLength: 1, maxLength: 400 });
  fc.assert(fc.property(pokes, (at) => {
    const damaged = whole.slice();
    // half of them inside the kernel's own structures
    for (const [inImage, word, to] of at) damaged[1024 + (word % ((inImage ? image : whole.length) - 1024))] = to;
    const memory = new Memory(damaged.buffer);
    for (const name of observableNames()) observe(memory, name);
    for (const { inuse, memuse } of mallocTypes(memory)) expect(inuse >= 0 && memuse >= 0).toBe(true);
    for (const query of [ms.memstatKvmMalloc, ms.memstatKvmUma, ms.memstatKvmAll]) query(ms.memstatMtlAlloc(), memory);
  }), { numRuns: 40 });
}, 60_000);

test('the same for the slab allocator', async () => {
  const { m } = await observed({ alloc: 'dragonfly', memory: '4MiB' });
  const whole = new Int32Array(new Uint8Array(m.heap).slice().buffer);
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(), fc.integer()), { minLength: 1, maxLength: 400 }), (at) => {
    const damaged = whole.slice();
    for (const [word, value] of at) damaged[1024 + (word % (whole.length - 1024))] = value;
    const memory = new Memory(damaged.buffer);
    for (const name of observableNames()) observe(memory, name);
  }), { numRuns: 40 });
}, 60_000);
