/**
 * ipi.mjs — CPUs that send each other messages and count what arrives.
 *
 * A tally is an area of one line an ordered pair of CPUs: {last sequence number, messages, out of order}, written by
 * the target only. A message carries the word index of its pair's line and its sequence number.
 */
import { engine } from './engine.mjs';

const {
  curcpu, ENOENT, gangBarrier, i32, ipiqRegister, lwktCpusyncDeinterlock, lwktCpusyncInterlock, lwktCpusyncSimple,
  lwktSendIpiq, lwktSendIpiqNowait, lwktSendIpiqPassive, lwktSynchronizeIpiqs, lwktWaitIpiq, splz, tsleep,
  tsleepInterlock, wakeup,
} = engine;

const IPIF_TALLY = 8;
const IPIF_COUNT = 9;
const IPIF_FORWARD = 10;
const LINE = 16;
const SB_STOP = 80;
/** word of an area: somebody has gone deaf */
const DEAD = 31;
/** where one sleeps */
const WCHAN = 64;

ipiqRegister(IPIF_TALLY, (line, seq) => {
  if (seq !== i32[line] + 1) i32[line + 2]++;
  i32[line] = seq;
  i32[line + 1]++;
});

/** counts in this CPU's word of an area of words */
ipiqRegister(IPIF_COUNT, (area) => {
  i32[(area >>> 2) + curcpu]++;
});

/** passes a message on to CPU `target`, which counts it */
ipiqRegister(IPIF_FORWARD, (area, target) => {
  lwktSendIpiq(target, IPIF_COUNT, area, 0);
});

/** From now on this CPU looks at no interrupt, until `word` is set. The others wait for that with awaitDeath. */
function playDead(area, word) {
  Atomics.store(i32, (area >>> 2) + DEAD, 1);
  while (Atomics.load(i32, word) === 0);
}

function awaitDeath(area) {
  while (Atomics.load(i32, (area >>> 2) + DEAD) === 0) splz();
}

/** Makes this CPU one that knows the functions above. */
export function load() {}

const lineOf = (tally, source, target, cpus) => (tally >>> 2) + (source * cpus + target) * LINE;

/** What this CPU received. */
function received(tally, cpus) {
  const sum = { messages: 0, disorder: 0 };
  for (let source = 0; source < cpus; source++) {
    sum.messages += i32[lineOf(tally, source, curcpu, cpus) + 1];
    sum.disorder += i32[lineOf(tally, source, curcpu, cpus) + 2];
  }
  return sum;
}

/** Each CPU sends `count` messages to others drawn at random, every other one without an interrupt. */
export function storm({ parties }, tally, count) {
  const sent = new Array(parties).fill(0);
  let x = 0x2545f491 + curcpu * 0x9e37;
  gangBarrier(parties);
  for (let n = 0; n < count; n++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    const target = (curcpu + 1 + ((x >>> 8) % (parties - 1))) % parties;
    const send = (x & 1) === 0 ? lwktSendIpiq : lwktSendIpiqPassive;
    send(target, IPIF_TALLY, lineOf(tally, curcpu, target, parties), ++sent[target]);
    if ((n & 63) === 0) splz();
  }
  lwktSynchronizeIpiqs();
  gangBarrier(parties);
  return received(tally, parties);
}

/** Both directions at once, and nobody serves anything until it has no room. */
export function flood({ parties }, tally, count, passive) {
  const target = (curcpu + 1) % parties;
  const line = lineOf(tally, curcpu, target, parties);
  const send = passive ? lwktSendIpiqPassive : lwktSendIpiq;
  gangBarrier(parties);
  for (let n = 1; n <= count; n++) send(target, IPIF_TALLY, line, n);
  lwktSynchronizeIpiqs();
  gangBarrier(parties);
  return received(tally, parties);
}

/** Alone: `count` messages to a CPU that sits in its event loop. @returns how many it has executed in the end */
export function floodIdle(_part, tally, cpus, target, count, passive) {
  const line = lineOf(tally, curcpu, target, cpus);
  const send = passive ? lwktSendIpiqPassive : lwktSendIpiq;
  for (let n = 1; n <= count; n++) send(target, IPIF_TALLY, line, n);
  lwktSynchronizeIpiqs();
  return i32[line + 1];
}

/** Rank 0 sends without waiting to rank 1, which serves nothing meanwhile. @returns messages that found room */
export function nowait({ rank, parties }, area) {
  const done = (area >>> 2) + LINE;
  gangBarrier(parties);
  if (rank === 1) {
    playDead(area, done);
    gangBarrier(parties);
    return i32[(area >>> 2) + curcpu];
  }
  awaitDeath(area);
  let sent = 0;
  while (lwktSendIpiqNowait(1, IPIF_COUNT, area, 0) !== ENOENT) sent++;
  Atomics.store(i32, done, 1);
  lwktSynchronizeIpiqs();
  gangBarrier(parties);
  return sent;
}

/** Everybody waits for everybody, with passive messages under way. @returns messages missing after a wait */
export function synchronize({ parties }, tally, rounds) {
  let missing = 0;
  gangBarrier(parties);
  for (let round = 1; round <= rounds; round++) {
    for (let target = 0; target < parties; target++) {
      if (target !== curcpu) lwktSendIpiqPassive(target, IPIF_TALLY, lineOf(tally, curcpu, target, parties), round);
    }
    lwktSynchronizeIpiqs();
    for (let target = 0; target < parties; target++) {
      if (target !== curcpu && Atomics.load(i32, lineOf(tally, curcpu, target, parties)) !== round) missing++;
    }
  }
  gangBarrier(parties);
  return missing;
}

/**
 * Every CPU leads rendezvous, all at once; each runs a function on all CPUs. Nobody serves anything before all are
 * ready to lead the first one. @returns how often the function ran here
 */
export function lead({ parties }, area, rounds) {
  const ready = (area >>> 2) + LINE;
  gangBarrier(parties);
  Atomics.add(i32, ready, 1);
  while (Atomics.load(i32, ready) < parties) Atomics.wait(i32, ready + 1, 0, 1);
  for (let round = 0; round < rounds; round++) lwktCpusyncSimple(IPIF_COUNT, area);
  gangBarrier(parties);
  lwktSynchronizeIpiqs();
  gangBarrier(parties);
  return i32[(area >>> 2) + curcpu];
}

/**
 * Rank 0 stops the others again and again; they count all the while. @returns rank 0: how often one of them moved while
 * it was stopped; the others: how far they counted
 */
export function standStill({ rank, parties }, area, rounds) {
  const words = area >>> 2;
  const done = words + 15;
  gangBarrier(parties);
  if (rank !== 0) {
    while (Atomics.load(i32, done) === 0) {
      Atomics.add(i32, words + rank, 1);
      splz();
    }
    return Atomics.load(i32, words + rank);
  }
  let moved = 0;
  for (let round = 0; round < rounds; round++) {
    lwktCpusyncInterlock();
    const before = Array.from({ length: parties }, (_, cpu) => Atomics.load(i32, words + cpu));
    for (let spins = 0; spins < 2000; spins++) Atomics.load(i32, words);
    for (let cpu = 0; cpu < parties; cpu++) if (Atomics.load(i32, words + cpu) !== before[cpu]) moved++;
    lwktCpusyncDeinterlock(IPIF_COUNT, area + 64);
  }
  Atomics.store(i32, done, 1);
  return moved;
}

/** Rank 0 sends one message; rank 1 never looks. */
export function waitInVain({ rank, parties }, area) {
  gangBarrier(parties);
  if (rank === 1) return playDead(area, SB_STOP);
  awaitDeath(area);
  lwktWaitIpiq(1, lwktSendIpiq(1, IPIF_COUNT, area, 0));
}

/**
 * Rank 2 fills rank 0's queue with messages that rank 0 has to forward to rank 1, which never looks: with no room
 * there, rank 0 serves its own queue, finds one more to forward, and so on.
 */
export function nest({ rank, parties }, area) {
  gangBarrier(parties);
  if (rank === 1) return playDead(area, SB_STOP);
  awaitDeath(area);
  if (rank === 2) for (;;) lwktSendIpiq(0, IPIF_FORWARD, area, 1);
  for (;;) splz();
}

/** Both send requests, and the handler of a request sends an answer. @returns answers that came here */
export function converse({ parties }, area, count) {
  const target = (curcpu + 1) % parties;
  gangBarrier(parties);
  for (let n = 0; n < count; n++) lwktSendIpiq(target, IPIF_FORWARD, area, curcpu);
  lwktSynchronizeIpiqs();
  gangBarrier(parties);
  lwktSynchronizeIpiqs();
  gangBarrier(parties);
  return i32[(area >>> 2) + curcpu];
}

/** One message to each of the other CPUs, and no more. */
export function sendOne(_part, tally, cpus, target, passive) {
  const send = passive ? lwktSendIpiqPassive : lwktSendIpiq;
  const line = lineOf(tally, curcpu, target, cpus);
  send(target, IPIF_TALLY, line, i32[line] + 1);
  return line;
}

/** Waits, serving nothing itself, until a message has been executed elsewhere. @returns milliseconds, -1: never */
export function watch(_part, line, messages, ms) {
  const start = performance.now();
  while (performance.now() - start < ms) {
    if (Atomics.load(i32, line + 1) >= messages) return performance.now() - start;
    Atomics.wait(i32, line + 8, 0, 1);
  }
  return -1;
}

/** Rank 1 sleeps on a channel; rank 0 sends it a passive message and watches. */
export function sendToSleeper({ rank, parties }, tally, ms) {
  const line = lineOf(tally, 0, 1, parties);
  gangBarrier(parties);
  if (rank === 0) {
    lwktSendIpiqPassive(1, IPIF_TALLY, line, 1);
    const waited = watch(null, line, 1, ms);
    wakeup(WCHAN);
    return waited;
  }
  tsleepInterlock(WCHAN);
  tsleep(ms);
}

/** Holds all others for a while. @returns milliseconds it then takes to reach them */
export function holdThenSynchronize(_part, ms) {
  lwktCpusyncInterlock();
  for (const until = performance.now() + ms; performance.now() < until; );
  lwktCpusyncDeinterlock(1, 0);
  return synchronizeOnce();
}

/** Waits once for all other CPUs. @returns milliseconds */
export function synchronizeOnce() {
  const start = performance.now();
  lwktSynchronizeIpiqs();
  return performance.now() - start;
}
