/**
 * fuzz.ts — small random programs for the allocator, each a scenario whose name is the program.
 *
 *   fuzz:z1:m64.f0+r0.u+i0      three CPUs; `+` or `|` stands between two of them, `.` between operations
 *
 *   z0 .. z2    each CPU has a zone of 4 chunks, so many of them free; the others are blocks 0, 1, ... in turn by CPU
 *   y1 y2       the same, and the zone has been off its list, for want of free chunks
 *   m64  f0     allocate 64 bytes (12288: pages); free what operation 0 of this CPU has allocated
 *   k0-128      krealloc what operation 0 has allocated to 128 bytes
 *   r5          free block 5 of the setup: another CPU's                p1      free CPU 1's block of whole pages
 *   c C         slab_cleanup; the same when memory is short             u       read the statistics
 *   t s         a clock tick; serve what is pending                     i2      a message to CPU 2
 *   x           lock, count, unlock                                     w       synchronize with all CPUs
 */
import { DEFECT_NAMES } from '../../base/defects.js';
import { SmpallocError } from '../../base/errors.js';
import { Draws } from '../draws.js';
import type { Client, Setup } from '../kit.js';
import { type Operation, type Scenario, scenario } from '../scenario.js';

export const FUZZ_PREFIX = 'fuzz:';

/** a class with four chunks a zone, the fewest there can be */
const SIZE = 7000;
const CHUNKS = 4;
const OVERSIZED = 12288;
const SIZES = [SIZE, SIZE, SIZE, SIZE, 64, 16, OVERSIZED];
const MOST_OPERATIONS = 12;

export interface Program {
  /** 'z' or 'y', and free chunks of each CPU's zone */
  readonly zones: string;
  /** operations by CPU, as they are spelled */
  readonly cpus: readonly (readonly string[])[];
}

export function nameOf({ zones, cpus }: Program): string {
  return `${FUZZ_PREFIX}${zones}:${cpus.map((ops) => ops.join('.')).join('+')}`;
}

/** @throws SmpallocError ESMP_INPUT naming what is wrong */
function readProgram(name: string): Program {
  const wrong = (what: string) => new SmpallocError('ESMP_INPUT', `scenario '${name}': ${what}`);
  const match = /^fuzz:(?:(z[0-2]|y[12]):)?(.*)$/.exec(name);
  if (!match) throw wrong('expected a program such as fuzz:z1:m64.f0+r0');
  const cpus = match[2]!.split(/[+|]/).map((text) => text.split('.').filter((op) => op !== ''));
  if (cpus.length < 1 || cpus.length > 4) throw wrong(`${cpus.length} CPUs; expected 1 to 4`);
  const zones = match[1] ?? 'z0';
  const freed = new Set<string>();
  for (const [cpu, ops] of cpus.entries()) {
    if (ops.length > MOST_OPERATIONS) throw wrong(`cpu${cpu} has ${ops.length} operations; at most ${MOST_OPERATIONS}`);
    for (const [at, op] of ops.entries()) {
      const what = wrongOperation(op, ops, at, cpu, blocksOf(zones, cpus.length), freed);
      if (what) throw wrong(`operation ${at} of cpu${cpu}, '${op}': ${what}`);
    }
  }
  return { zones, cpus };
}

const SPELLING = /^(?:m[1-9]\d{0,5}|f\d|k\d-[1-9]\d{0,5}|r\d{1,2}|p[0-3]|i[0-3]|[cCutsxw])$/;
const allocates = (op: string | undefined): boolean => op !== undefined && /^[mk]/.test(op);
/** the operation whose block it takes away: 'f0' and 'k0-128' operation 0 */
const taken = (op: string): number => (/^[fk]/.test(op) ? Number(op[1]) : -1);

/** CPUs, and chunks that are out after setup. */
interface Blocks {
  readonly ncpu: number;
  readonly blocks: number;
}

function blocksOf(zones: string, ncpu: number): Blocks {
  return { ncpu, blocks: ncpu * (CHUNKS - Number(zones[1])) };
}

function wrongOperation(
  op: string, ops: readonly string[], at: number, cpu: number, { ncpu, blocks }: Blocks, freed: Set<string>,
): string | null {
  if (!SPELLING.test(op)) return 'is none; there are m64 f0 k0-128 r5 p1 c C u t s i2 x w';
  const number = Number(/\d+/.exec(op)?.[0] ?? 0);
  if (op[0] === 'i' && number >= ncpu) return `there is no cpu${number}`;
  if (op[0] === 'p' && number >= ncpu) return `there is no cpu${number}`;
  if (op[0] === 'r' && number >= blocks) return `there are ${blocks} blocks`;
  const from = taken(op);
  if (from >= 0 && (from >= at || !allocates(ops[from]))) return `operation ${from} has allocated nothing`;
  if (from < 0 && op[0] !== 'r' && op[0] !== 'p') return null;
  const block = from >= 0 ? `${cpu}.${from}` : op;
  if (freed.has(block)) return 'its block is freed twice';
  freed.add(block);
  return null;
}

/** The scenario of a program. @throws SmpallocError ESMP_INPUT when it is none */
export function parseProgram(name: string): Scenario {
  const program = readProgram(name);
  const cpus = program.cpus.map((_, cpu) => `cpu${cpu}`);
  const sends = program.cpus.flat().filter((op) => op[0] === 'i').length;
  const turns = program.cpus.flat().filter((op) => op === 'x').length;
  return scenario<State>(name, {
    title: 'a random program',
    origin: 'race fuzz',
    cpus,
    setup: (k) => prepare(k, program),
    cpu: Object.fromEntries(cpus.map((role, cpu) => [
      role, (k, s) => program.cpus[cpu]!.map((op) => operation(k, s, op)),
    ])),
    after(view, { sent, count }) {
      if (view.i32[sent] !== sends) return `${view.i32[sent]} messages were executed, not ${sends}`;
      return view.i32[count] === turns || `${view.i32[count]} turns were counted, not ${turns}`;
    },
    defects: DEFECT_NAMES,
    expect: { verdict: 'pass' },
  });
}

interface State {
  readonly blocks: readonly number[];
  readonly pages: readonly number[];
  /** words: messages executed; turns counted under the mutex; the mutex */
  readonly sent: number;
  readonly count: number;
  readonly mutex: number;
  readonly handler: number;
}

/** Only what the program needs: the rest would be more memory to look through. */
function prepare(k: Setup, { zones, cpus }: Program): State {
  const [sent, count, mutex] = k.words(3);
  const handler = k.handler((c) => void c.add(sent!, 1));
  const blocks: number[] = [];
  const pages: number[] = [];
  const ops = cpus.flat();
  const free = Number(zones[1]);
  for (let cpu = 0; cpu < k.ncpu; cpu++) {
    const { chunk } = k.zone(SIZE, { owner: cpu, free: zones[0] === 'y' ? 0 : free });
    for (const [n, block] of chunk.entries()) blocks[n * k.ncpu + cpu] = block;
    if (zones[0] === 'y') {
      k.on(cpu, (c) => {
        for (const block of chunk.slice(-free)) c.kfree(block);
      });
    }
    if (ops.includes(`p${cpu}`)) pages[cpu] = k.on(cpu, (c) => c.kmalloc(OVERSIZED));
  }
  return { blocks, pages, sent: sent!, count: count!, mutex: mutex!, handler };
}

function operation(k: Setup, s: State, op: string): Operation {
  const number = Number(/\d+/.exec(op)?.[0] ?? 0);
  const own = (c: Client) => c.results[number] as number;
  switch (op[0]) {
    case 'm': return k.op(`kmalloc ${number}`, (c) => c.kmalloc(number));
    case 'f': return k.op(`kfree own ${number}`, (c) => {
      if (own(c) !== 0) c.kfree(own(c));
    });
    case 'k': {
      const size = Number(op.split('-')[1]);
      return k.op(`krealloc own ${number} to ${size}`, (c) => (own(c) === 0 ? 0 : grown(c, own(c), size)));
    }
    case 'r': return k.op(`kfree block ${number}`, (c) => c.kfree(s.blocks[number]!));
    case 'p': return k.op(`kfree pages of cpu${number}`, (c) => c.kfree(s.pages[number]!));
    case 'c': return k.op('slab_cleanup', (c) => c.cleanup());
    case 'C': return k.op('slab_cleanup, memory is short', (c) => c.cleanup(true));
    case 'u': return k.op('inuse', (c) => {
      if (c.inuse() < 0 || c.memuse() < 0) c.fail('stats-drift', 'less than nothing is in use');
    });
    case 't': return k.op('tick', (c) => c.tick());
    case 's': return k.op('splz', (c) => c.splz());
    case 'i': return k.op(`send to cpu${number}`, (c) => void c.send(number, s.handler));
    case 'w': return k.op('synchronize', (c) => c.synchronize());
    default: return k.op('lock, count, unlock', (c) => {
      c.mtxLock(s.mutex);
      c.st(s.count, c.ld(s.count) + 1);
      c.mtxUnlock(s.mutex);
    });
  }
}

/** A block that cannot grow stays, and is still the caller's. */
function grown(c: Client, ptr: number, size: number): number {
  return c.krealloc(ptr, size) || ptr;
}

// ---- random programs

/** what the number of a program means hangs on it */
const UNUSED_BITS = 8;

/** Random numbers of program `number` of a seed. */
export function diceOf(seed: number, number: number): Draws {
  return new Draws(seed, number, UNUSED_BITS);
}

export interface Shape {
  readonly cpus: readonly [least: number, most: number];
  /** operations in all */
  readonly ops: readonly [least: number, most: number];
}

/** how often each kind is drawn */
const KINDS = 'mmmmmmfffrrrrrrrrkpcCutsixw';
/** most of what can go wrong, goes wrong when a zone runs out of chunks */
const ZONES = ['z0', 'z1', 'z1', 'z1', 'z2', 'y1', 'y2'];

export function randomProgram(dice: Draws, { cpus: [least, most], ops: [fewest, many] }: Shape): Program {
  const ncpu = least + dice.below(most - least + 1);
  const total = fewest + dice.below(many - fewest + 1);
  const cpus: string[][] = Array.from({ length: ncpu }, () => []);
  const freed = new Set<string>();
  const zones = dice.of(ZONES);
  for (let n = 0; n < total;) {
    // everybody has something to do, if there is enough
    const cpu = n < ncpu ? n : dice.below(ncpu);
    const op = randomOperation(dice, cpus[cpu]!, cpu, ncpu);
    if (wrongOperation(op, cpus[cpu]!, cpus[cpu]!.length, cpu, blocksOf(zones, ncpu), freed) !== null) continue;
    cpus[cpu]!.push(op);
    n++;
  }
  return { zones, cpus };
}

function randomOperation(dice: Draws, ops: readonly string[], cpu: number, ncpu: number): string {
  const kind = KINDS[dice.below(KINDS.length)]!;
  const other = ncpu < 2 ? 0 : (cpu + 1 + dice.below(ncpu - 1)) % ncpu;
  switch (kind) {
    case 'm': return `m${dice.of(SIZES)}`;
    case 'f': return `f${dice.below(Math.max(1, ops.length))}`;
    case 'k': return `k${dice.below(Math.max(1, ops.length))}-${dice.of(SIZES)}`;
    // two chunks of each zone, so that two frees often meet in one
    case 'r': return `r${other + ncpu * dice.below(2)}`;
    case 'p': return `p${other}`;
    case 'i': return `i${other}`;
    default: return kind;
  }
}

/** Programs with one operation less, or one CPU less; those that make no sense are left out. */
export function smaller({ zones, cpus }: Program): Program[] {
  const found: Program[] = [];
  if (cpus.length > 1 && cpus.at(-1)!.length === 0) found.push({ zones, cpus: cpus.slice(0, -1) });
  for (const [cpu, ops] of cpus.entries()) {
    for (const at of ops.keys()) {
      const without = cpus.map((one, n) => (n === cpu ? renumbered(ops, at) : one));
      found.push({ zones, cpus: without });
    }
  }
  return found.filter((program) => {
    try {
      readProgram(nameOf(program));
      return true;
    } catch {
      return false;
    }
  });
}

/** Without operation `at`; those that took its block away will be found wrong. */
function renumbered(ops: readonly string[], at: number): string[] {
  return ops.filter((_, n) => n !== at).map((op) => {
    const from = taken(op);
    if (from === at) return 'gone';
    return from > at ? `${op[0]}${from - 1}${op.slice(2)}` : op;
  });
}
