/**
 * probe_loops.ts — what is timed on the user's machine, in two worker threads: one measures, the other plays along.
 *
 * The views are constants of the module, as the engine's are, so that V8 makes the same code of an access. Each kind of
 * work is a loop of its own and is run until V8 has settled before it is timed in batches. Nothing here ends a wait for
 * a partner that is gone: host/probe.ts ends both threads.
 */
import { workerData } from 'node:worker_threads';

export const SAMPLES = [
  'access', 'store', 'cas', 'add', 'turn', 'call', 'touch', 'miss', 'passed', 'seen', 'sleep', 'notify', 'wake',
] as const;
export type SampleName = (typeof SAMPLES)[number];

export interface ProbeTask {
  /** starts with a page, so that a line of it is a line of the machine */
  readonly heap: SharedArrayBuffer;
  readonly role: 'measures' | 'partner';
  /** is there a partner on another core? */
  readonly paired: boolean;
}

/** nanoseconds of one event each, a number a batch */
export type ProbeResult = Partial<Record<SampleName, number[]>>;

const { heap, paired } = workerData as ProbeTask;
const i32 = new Int32Array(heap);
const f64 = new Float64Array(heap);

// ---- words, each on a line of its own
const COMMAND = 0;
const BALL = 16;
const BED = 32;
const ROUND = 48;
/** doubles, ns on the clock both threads read */
const SLEPT_AT = 64 / 2;
const WOKE_AT = 80 / 2;
const OWN = 96;
// ---- a little allocator: a line of its own a zone, and three chunks
const CLASSES = 256;
const ZONEARY = 512;
/** doubles */
const STATS = 768 / 2;
const ZONES = 1024;
const ZONE_WORDS = 64;
const NZONES = 64;
const MAGIC = 0;
const NFREE = 1;
const CHUNKS = 2;
const SIZE = 4;
const ZONE_MAGIC = 0x736c6162;

/** the rest of the heap is walked */
const FIELD = 16 * 1024;

const IDLE = 0;
const PASS = 1;
const SEE = 2;
const SLEEP = 3;
const LEAVE = 4;
const OVER = -1;

const WARM_MS = 25;
const BATCHES = 40;
const PAIR_BATCHES = 600;
const PAIR_ROUNDS = 50;
/** a busy machine gets as many batches as fit, and no fewer than these */
const PAIR_MS = 600;
const PAIR_FEWEST = 10;
const SLEEPS = 200;
const SLEEPS_MS = 600;
/** ns a sleeper is given to be really asleep before it is rung */
const ASLEEP = 60_000;

/** One clock for both threads: nanoseconds. */
const clock = (): number => Number(process.hrtime.bigint());

/** @param body does `turns` turns @returns ns a turn, of each batch */
function timed(body: (turns: number) => number, turns: number, batches = BATCHES): number[] {
  const until = performance.now() + WARM_MS;
  do i32[OWN + 8] = body(turns);
  while (performance.now() < until);
  return Array.from({ length: batches }, () => {
    const start = performance.now();
    i32[OWN + 8] = body(turns);
    return ((performance.now() - start) * 1e6) / turns;
  });
}

// ---- alone

function carve(): void {
  for (let n = 0; n < NZONES; n++) {
    const zw = ZONES + n * ZONE_WORDS;
    i32[CLASSES + n] = (n * 7) % NZONES;
    i32[ZONEARY + n] = zw;
    i32[zw + MAGIC] = ZONE_MAGIC;
    i32[zw + NFREE] = 3;
    i32[zw + CHUNKS] = zw + 16;
    f64[(zw + SIZE) >>> 1] = 64;
    for (let chunk = 16; chunk < ZONE_WORDS; chunk += 16) {
      i32[zw + chunk] = chunk + 16 < ZONE_WORDS ? zw + chunk + 16 : 0;
    }
  }
}

/** A chunk from the list of its zone, in a critical section, with statistics: what a first path does. */
function take(size: number): number {
  i32[OWN]++;
  const zw = i32[ZONEARY + i32[CLASSES + size]!]!;
  if (i32[zw + NFREE]! <= 0) throw new Error('zone empty');
  const cw = i32[zw + CHUNKS]!;
  i32[zw + CHUNKS] = i32[cw]!;
  i32[zw + NFREE]--;
  f64[STATS] += f64[(zw + SIZE) >>> 1]!;
  f64[STATS + 1]++;
  i32[OWN]--;
  return cw;
}

function giveBack(cw: number): void {
  i32[OWN]++;
  const zw = cw & -ZONE_WORDS;
  if (i32[zw + MAGIC] !== ZONE_MAGIC) throw new Error('no zone');
  f64[STATS + 2] += f64[(zw + SIZE) >>> 1]!;
  f64[STATS + 3]++;
  i32[cw] = i32[zw + CHUNKS]!;
  i32[zw + CHUNKS] = cw;
  i32[zw + NFREE]++;
  i32[OWN]--;
}

/** accesses of `take` and of `giveBack` */
const PAIR_ACCESSES = 17 + 15;

function chunks(turns: number): number {
  let cw = 0;
  for (let n = 0; n < turns; n++) {
    cw = take(n & (NZONES - 1));
    giveBack(cw);
  }
  return cw;
}

function stores(turns: number): number {
  for (let n = 0; n < turns; n++) Atomics.store(i32, OWN, n);
  return 0;
}

function swaps(turns: number): number {
  let n = Atomics.load(i32, OWN);
  const end = n + turns;
  while (n < end) n = Atomics.compareExchange(i32, OWN, n, n + 1) + 1;
  return n;
}

function adds(turns: number): number {
  for (let n = 0; n < turns; n++) Atomics.add(i32, OWN, 1);
  return 0;
}

/** A wait loop that waits for nobody. */
function spins(turns: number): number {
  let left = turns;
  while (Atomics.load(i32, OWN) !== OVER && left > 0) left--;
  return left;
}

/** Going to sleep where there is no reason to. */
function calls(turns: number): number {
  for (let n = 0; n < turns; n++) Atomics.wait(i32, OWN, OVER);
  return 0;
}

/** A word of each line for the first time; then a walk over all lines, each telling the next. */
function field(): { touch: number[]; miss: number[] } {
  const lines = (i32.length - FIELD) >>> 4;
  const part = lines >>> 5;
  const touch: number[] = [];
  const miss: number[] = [];
  for (let first = 0; first + part <= lines; first += part) {
    const start = performance.now();
    for (let line = first; line < first + part; line++) i32[FIELD + line * 16] = line;
    touch.push(((performance.now() - start) * 1e6) / part);
  }
  // one cycle through all of them (Sattolo)
  let seed = 1;
  for (let line = part * 32 - 1; line > 0; line--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((seed / 2 ** 32) * line);
    const word = i32[FIELD + line * 16]!;
    i32[FIELD + line * 16] = i32[FIELD + other * 16]!;
    i32[FIELD + other * 16] = word;
  }
  let at = walk(0, part >>> 2);
  for (let n = 0; n < BATCHES; n++) {
    const steps = part >>> 3;
    const start = performance.now();
    at = walk(at, steps);
    miss.push(((performance.now() - start) * 1e6) / steps);
  }
  i32[OWN + 8] = at;
  return { touch, miss };
}

function walk(from: number, steps: number): number {
  let at = from;
  for (let n = 0; n < steps; n++) at = i32[FIELD + at * 16]!;
  return at;
}

// ---- in pairs

/** The line goes to the partner and comes back, taken by compare-and-swap on both sides. ns one way. */
function passing(): number[] {
  ask(PASS);
  const result = rounds(() => {
    while (Atomics.compareExchange(i32, BALL, 0, 1) !== 0);
  });
  while (Atomics.compareExchange(i32, BALL, 0, OVER) !== 0);
  answered();
  return result;
}

function passBack(): void {
  for (;;) {
    const ball = Atomics.compareExchange(i32, BALL, 1, 0);
    if (ball === OVER) return;
  }
}

/** A store here is seen there, and answered by another. ns one way. */
function seeing(): number[] {
  let ball = 0;
  ask(SEE);
  const result = rounds(() => {
    ball += 2;
    Atomics.store(i32, BALL, ball - 1);
    while (Atomics.load(i32, BALL) !== ball);
  });
  Atomics.store(i32, BALL, OVER);
  answered();
  return result;
}

function seeBack(): void {
  for (;;) {
    const ball = Atomics.load(i32, BALL);
    if (ball === OVER) return;
    if ((ball & 1) !== 0) Atomics.store(i32, BALL, ball + 1);
  }
}

/** @param round there and back @returns ns one way, of each batch */
function rounds(round: () => void): number[] {
  const result: number[] = [];
  const until = performance.now() + PAIR_MS;
  const warm = performance.now() + WARM_MS;
  while (performance.now() < warm) round();
  while (result.length < PAIR_BATCHES && (performance.now() < until || result.length < PAIR_FEWEST)) {
    const start = performance.now();
    for (let n = 0; n < PAIR_ROUNDS; n++) round();
    result.push(((performance.now() - start) * 1e6) / (2 * PAIR_ROUNDS));
  }
  return result;
}

/**
 * The partner goes to sleep and is rung. Rung as soon as it can be, that says how long going to sleep takes; rung when
 * it has been asleep for a while, what ringing and waking do.
 */
function sleeping(): { sleep: number[]; notify: number[]; wake: number[] } {
  const sleep: number[] = [];
  const notify: number[] = [];
  const wake: number[] = [];
  ask(SLEEP);
  const until = performance.now() + SLEEPS_MS;
  for (let n = 1; n <= SLEEPS && (performance.now() < until || n <= 2 * PAIR_FEWEST); n++) {
    const early = (n & 1) === 0;
    if (!early) {
      while (Atomics.load(i32, ROUND) !== n);
      for (const start = clock(); clock() - start < ASLEEP; );
    }
    let rung = clock();
    while (Atomics.notify(i32, BED, 1) === 0) rung = clock();
    const done = clock();
    while (Atomics.load(i32, ROUND) !== -n);
    if (early) sleep.push(Math.max(0, rung - f64[SLEPT_AT]!));
    else {
      notify.push(done - rung);
      wake.push(f64[WOKE_AT]! - rung);
    }
    // on with the next
    Atomics.store(i32, ROUND, 0);
  }
  while (Atomics.load(i32, ROUND) <= 0);
  Atomics.store(i32, BALL, OVER);
  while (Atomics.notify(i32, BED, 1) === 0);
  answered();
  return { sleep, notify, wake };
}

function sleepAndWake(): void {
  for (let n = 1; Atomics.load(i32, BALL) !== OVER; n++) {
    while (Atomics.load(i32, ROUND) !== 0);
    f64[SLEPT_AT] = clock();
    Atomics.store(i32, ROUND, n);
    Atomics.wait(i32, BED, 0);
    f64[WOKE_AT] = clock();
    Atomics.store(i32, ROUND, -n);
  }
}

function ask(command: number): void {
  Atomics.store(i32, BALL, 0);
  Atomics.store(i32, ROUND, 0);
  Atomics.store(i32, COMMAND, command);
  Atomics.notify(i32, COMMAND);
}

/** The partner has done what it was asked to. */
function answered(): void {
  for (let now = Atomics.load(i32, COMMAND); now !== IDLE; now = Atomics.load(i32, COMMAND)) {
    Atomics.wait(i32, COMMAND, now);
  }
}

/** The partner: does what it is asked to until it may leave. */
export function playAlong(): void {
  for (;;) {
    const command = Atomics.load(i32, COMMAND);
    if (command === LEAVE) return;
    if (command === PASS) passBack();
    else if (command === SEE) seeBack();
    else if (command === SLEEP) sleepAndWake();
    if (command === IDLE) Atomics.wait(i32, COMMAND, IDLE);
    else {
      Atomics.store(i32, COMMAND, IDLE);
      Atomics.notify(i32, COMMAND);
    }
  }
}

/** The one that measures. */
export function measure(): ProbeResult {
  carve();
  const alone: ProbeResult = {
    access: timed(chunks, 20_000).map((ns) => ns / PAIR_ACCESSES),
    store: timed(stores, 50_000),
    cas: timed(swaps, 50_000),
    add: timed(adds, 50_000),
    turn: timed(spins, 50_000),
    call: timed(calls, 5000),
    ...field(),
  };
  if (!paired) return alone;
  const result = { ...alone, passed: passing(), seen: seeing(), ...sleeping() };
  ask(LEAVE);
  return result;
}
