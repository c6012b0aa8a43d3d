/**
 * oracles.ts — is the memory an execution left right? Judged outside of the code under test.
 *
 * The judgement depends on the memory alone, and many schedules end in the same one: it is kept by the memory's hash.
 */
import type { FailureClass } from '../base/failures.js';
import { IPIF_FREE_REMOTE, IPIF_KFREE_REMOTE } from '../base/ipif.js';
import { ALLOC_DRAGONFLY, FREE_RBATCH } from '../base/policy.js';
import { RB_ENTRIES, RB_WORDS, RB_ZONE, SL_BATCH } from '../dragonfly/slaballoc.layout.js';
import { SB_ALLOC, SB_FREE } from '../hw/superblock.layout.js';
import type { Failure } from '../hw/stepped/failure.js';
import { GD_IPIQ_PASSIVE } from '../kern/globaldata.layout.js';
import { pendingMessages } from '../observe/ipiq.js';
import type { SteppedMachine } from './stepped.js';

/** what comes home may send something on */
const ROUNDS = 3;
/** memories remembered at most */
const REMEMBERED = 200_000;

export class Oracles {
  readonly #machine: SteppedMachine;
  /** somebody looks at the settled memory afterwards */
  readonly #watched: boolean;
  readonly #known = new Map<number, Failure | null>();
  /** of these, those with something in transit */
  readonly #restless = new Set<number>();

  constructor(machine: SteppedMachine, watched: boolean) {
    this.#machine = machine;
    this.#watched = watched;
  }

  /**
   * What is wrong with the memory as it stands; brings it to rest where that is needed.
   * @param heap its hash; null: this memory has not been seen
   */
  judge(heap: number | null): Failure | null {
    const { engine } = this.#machine;
    const key = (heap ?? 0) + engine.shadow.clients.count;
    const known = heap === null ? undefined : this.#known.get(key);
    if (known !== undefined) {
      if (known === null && this.#watched && this.#restless.has(key)) this.#settle();
      return known;
    }
    const restless = this.#inTransit();
    const settled = this.#unannounced() ?? (restless ? this.#settle() : null);
    const failure = settled ?? engine.failure.execution.failure ?? this.#audit();
    if (heap !== null && this.#known.size < REMEMBERED) {
      this.#known.set(key, failure);
      if (restless) this.#restless.add(key);
    }
    return failure;
  }

  /** Messages in a queue, nobody told: natively their CPU would sleep on. Passive ones wait for the clock, rightly. */
  #unannounced(): Failure | null {
    const { engine, memory } = this.#machine;
    const pending = pendingMessages(memory);
    if (pending.length === 0) return null;
    let passive = 0;
    for (let cpu = 0; cpu < memory.ncpu; cpu++) passive += memory.f64[(memory.gd(cpu) + GD_IPIQ_PASSIVE) >>> 1]!;
    if (passive > 0 || !engine.entity.layout.interrupts) return null;
    const { source, target } = pending[0]!;
    const where = `a message from cpu${source} to cpu${target} is in its queue`;
    return atEnd('lost-wakeup', `${where}, and nobody has told cpu${target}`);
  }

  /** Brings everything in transit home, as the clock would, one CPU after the other. */
  #settle(): Failure | null {
    const { engine, memory } = this.#machine;
    try {
      let round = 0;
      do {
        for (let cpu = 0; cpu < memory.ncpu; cpu++) engine.run.asCpu(cpu, engine.auditDrain);
      } while (++round < ROUNDS && this.#inTransit());
      return null;
    } catch (error) {
      const { name, message } = error as Error;
      if (name === 'KernelPanic') return atEnd('panic', engine.run.texts.panic());
      return atEnd('exception', `${name}: ${message}`);
    }
  }

  /** Messages, or open batches of remote frees. */
  #inTransit(): boolean {
    const { memory } = this.#machine;
    if (pendingMessages(memory).length > 0) return true;
    if (memory.sb(SB_ALLOC) !== ALLOC_DRAGONFLY || memory.sb(SB_FREE) !== FREE_RBATCH) return false;
    for (let cpu = 0; cpu < memory.ncpu; cpu++) {
      const batch = memory.slgd(cpu) + SL_BATCH + RB_ZONE;
      for (let n = 0; n < RB_ENTRIES; n++) if (memory.i32[batch + n * RB_WORDS] !== 0) return true;
    }
    return false;
  }

  #audit(): Failure | null {
    const { engine } = this.#machine;
    const { violations, stranded, blocks } = engine.auditMachine();
    const first = violations[0];
    if (first !== undefined) return atEnd(classOf(first), violations.join('; '));
    if (stranded > 0) {
      return atEnd('lost-wakeup', `${stranded} zone off ZoneAry with free chunks in RChunks: nobody will be told`);
    }
    const held = engine.shadow.clients.count;
    // who holds what somebody else has been given is seen where it is handed out, but for threads that do so at once
    const cls = held > blocks ? 'double-alloc' : 'leak';
    return blocks === held ? null : atEnd(cls, `${blocks} blocks are out, but callers hold ${held}`);
  }
}

export function atEnd(cls: FailureClass, message: string): Failure {
  return { cls, message, cpu: -1, step: 0 };
}

function classOf(violation: string): FailureClass {
  if (/twice|no chunk of it/.test(violation)) return 'list-corrupt';
  return violation.startsWith('statistics') ? 'stats-drift' : 'audit';
}

/** Memory goes back while a message about it is under way. */
export function checkDangling({ engine, memory }: SteppedMachine, address: number, bytes: number): void {
  for (const { source, target, func, arg1 } of pendingMessages(memory)) {
    if (func !== IPIF_KFREE_REMOTE && func !== IPIF_FREE_REMOTE) continue;
    if (arg1 < address || arg1 >= address + bytes) continue;
    engine.failure.fail({
      cls: 'ipi-dangling',
      message:
        `0x${address.toString(16)} is given back while a message about it is on its way from cpu${source} to ` +
        `cpu${target}`,
      cpu: engine.curcpu,
      step: engine.failure.execution.steps,
    });
  }
}
