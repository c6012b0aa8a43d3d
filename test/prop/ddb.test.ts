/**
 * Core dumps that were damaged: whatever stands in them, the debugger answers or refuses, soon, and never breaks.
 *
 * Words are overwritten with what hurts readers most: other words of the machine (lists that lead into each other),
 * their own address (lists of one), values at the ends of all ranges, flipped bits.
 */
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SmpallocError } from '../../src/base/errors.js';
import { ALLOC_NAMES } from '../../src/base/policy.js';
import { openCore, writeCore } from '../../src/host/core.js';
import { SB_WORDS } from '../../src/hw/superblock.layout.js';
import { DDB_COMMANDS, ddb, ddbState } from '../../src/observe/ddb/ddb.js';
import { mallocProfile } from '../../src/observe/malloc_profile.js';
import { mallocCount, mallocTypeStats, mallocTypes } from '../../src/observe/malloc_types.js';
import { Memory } from '../../src/observe/memory.js';
import { kernelMessages } from '../../src/observe/msgbuf.js';
import { panicReport } from '../../src/observe/panic_report.js';
import { symbols } from '../../src/observe/symbols.js';
import { observableNames, observe } from '../../src/observe/sysctl.js';
import { umaZoneCount, umaZones } from '../../src/observe/uma_zones.js';
import { debugged } from '../helpers/ddb.js';
import { panicCodeOf } from '../helpers/inside.js';

/** one command on 4 MiB takes milliseconds; on a busy host, more */
const MOST_MS = 5000;

interface Sample {
  readonly heap: SharedArrayBuffer;
  /** words that are not 0: damage elsewhere is rarely looked at */
  readonly used: readonly number[];
  readonly addresses: readonly number[];
}

const samples = new Map<string, Sample>();
beforeAll(async () => {
  for (const alloc of ALLOC_NAMES) {
    const { m, blocks, types } = await debugged({ alloc, memory: '4MiB', ktr: 64 });
    panicCodeOf(() => m.on(1, () => m.kfree(blocks.devbuf[0]! + 8, types.devbuf)));
    const used: number[] = [];
    m.memory.i32.forEach((value, word) => {
      if (value !== 0 && value !== (0xdeadc0de | 0)) used.push(word);
    });
    samples.set(alloc, { heap: m.heap, used, addresses: [...blocks.temp, ...blocks.devbuf, blocks.large] });
  }
});

interface Damage {
  readonly where: number;
  readonly what: number;
  readonly kind: 'bit' | 'word' | 'self' | 'value' | 'other';
}

const VALUES = [0, -1, 1, 0x7fffffff, -0x80000000, 4096, 4095, 0x3ffffc, 0x400000, 255, 0x10001];
const damage: fc.Arbitrary<Damage> = fc.record({
  where: fc.nat(), what: fc.nat(), kind: fc.constantFrom('bit', 'word', 'self', 'value', 'other'),
});

function damaged({ heap, used }: Sample, done: readonly Damage[], inSuperblock: boolean): ArrayBuffer {
  const copy = new ArrayBuffer(heap.byteLength);
  new Uint8Array(copy).set(new Uint8Array(heap));
  const i32 = new Int32Array(copy);
  const behind = used.filter((word) => word >= SB_WORDS);
  const from = inSuperblock ? used : behind;
  for (const { where, what, kind } of done) {
    const word = kind === 'other' ? where % i32.length : from[where % from.length]!;
    if (word < SB_WORDS && !inSuperblock) continue;
    if (kind === 'bit') i32[word]! ^= 1 << (what & 31);
    else if (kind === 'word') i32[word] = i32[behind[what % behind.length]!]!;
    else if (kind === 'self') i32[word] = word * 4;
    else i32[word] = VALUES[what % VALUES.length]!;
  }
  return copy;
}

/** Every command that is there, with arguments where it wants some. */
function allCommands(addresses: readonly number[]): string[] {
  const picked = [addresses[0]!, addresses[3]!, addresses.at(-1)!].map((address) => address.toString(16));
  return DDB_COMMANDS.flatMap(({ name, args }) => {
    const addressed = picked.map((at) => `${name} ${at}`);
    if (args === 'ADDR') return addressed;
    if (args === '[NAME|ADDR]') return [name, ...addressed];
    if (name.startsWith('x/')) return [`${name} ${picked[0]},64`, `${name} 1000,512`];
    return name === 'leaks' ? [name, 'leaks temp'] : [name];
  });
}

/** @returns what took too long */
function survives(memory: Memory, addresses: readonly number[]): string {
  const state = ddbState(memory);
  for (const command of allCommands(addresses)) {
    const start = performance.now();
    try {
      ddb(memory, command, state);
    } catch (error) {
      if (!SmpallocError.is(error)) throw error;
    }
    const took = performance.now() - start;
    if (took > MOST_MS) return `${command}: ${Math.round(took)} ms`;
  }
  panicReport(memory);
  const { place, structAt, value } = symbols(memory);
  for (const address of addresses) {
    structAt(address >>> 2);
    value(address >>> 2, memory.i32[address >>> 2]!);
    place(address >>> 2);
  }
  return '';
}

/** The readers vmstat and others have: as hardy as the debugger. */
const READERS: readonly ((memory: Memory) => unknown)[] = [
  mallocTypes, mallocTypeStats, mallocCount, mallocProfile, umaZones, umaZoneCount, kernelMessages,
  (memory) => observableNames().map((name) => observe(memory, name)),
];

describe.each(ALLOC_NAMES)('a machine of %s', (alloc) => {
  test('answers whatever stands in its structures', () => {
    const sample = samples.get(alloc)!;
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 12 }), (done) => {
        const memory = new Memory(damaged(sample, done, false));
        expect(survives(memory, sample.addresses)).toBe('');
        for (const read of READERS) read(memory);
      }),
      { numRuns: 60 },
    );
  });

  test('answers, or is refused, whatever its superblock says', () => {
    const sample = samples.get(alloc)!;
    fc.assert(
      fc.property(fc.array(damage, { maxLength: 3 }), fc.nat(SB_WORDS - 1), fc.nat(), (done, word, what) => {
        const heap = damaged(sample, done, true);
        const i32 = new Int32Array(heap);
        if (what % 3 === 0) i32[word] = VALUES[what % VALUES.length]!;
        else if (what % 3 === 1) i32[word]! ^= 1 << (what & 31);
        let memory: Memory;
        try {
          memory = new Memory(heap);
        } catch (error) {
          expect(SmpallocError.is(error)).toBe(true);
          return;
        }
        expect(survives(memory, sample.addresses)).toBe('');
      }),
      { numRuns: 60 },
    );
  });
});

describe('a core file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'smpalloc-fuzz-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** @returns whether it could be read; every other end is an error of the input, and names the file */
  async function opens(file: string): Promise<boolean> {
    try {
      const { memory } = await openCore(file);
      new Memory(memory);
      return true;
    } catch (error) {
      if (!SmpallocError.is(error) || error.code !== 'ESMP_INPUT') throw error;
      return false;
    }
  }

  test('of which a piece is missing is refused', async () => {
    const file = join(folder, 'short');
    await writeCore(file, samples.get('dragonfly')!.heap);
    const whole = await readFile(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), async (bytes) => {
        await writeFile(file, whole);
        await truncate(file, bytes);
        expect(await opens(file)).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  test('with a flipped bit in its header is refused', async () => {
    const file = join(folder, 'flipped');
    await writeCore(file, samples.get('freebsd')!.heap);
    const whole = await readFile(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(4096 * 8 - 1), async (bit) => {
        const copy = Buffer.from(whole);
        copy[bit >>> 3]! ^= 1 << (bit & 7);
        await writeFile(file, copy);
        expect(await opens(file)).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  test('that is something else is refused', async () => {
    const file = join(folder, 'foreign');
    const start = fc.constantFrom('', 'SMPCORE', 'SMPCORE2', 'SMPCORE9', '\x7fELF', '{"bytes":1}');
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 20_000 }), async (head, rest) => {
        await writeFile(file, Buffer.concat([Buffer.from(head, 'latin1'), rest]));
        expect(await opens(file)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });
});
