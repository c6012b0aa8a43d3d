/**
 * inside.ts — a machine in the test's own thread: the engine from source, with all checks, one thread for all CPUs.
 *
 * The engine's views and boot constants belong to a module graph, so every machine gets a fresh one. `as(cpu)` makes
 * the thread that CPU from then on; interrupts are served where a CPU would serve them (critical section exits, splz).
 * INVARIANTS, a constant of the build, is a global here (vitest's define): `invariants: false` gives the release
 * flavour with its first paths.
 */
import { vi } from 'vitest';
import { format } from '../../src/host/format.js';
import { type BootOptions, configure } from '../../src/host/options.js';
import { Z_LISTED, Z_NFREE, Z_NMAX } from '../../src/dragonfly/slaballoc.layout.js';
import { BINDING } from '../../src/hw/ticket.js';
import { Memory } from '../../src/observe/memory.js';

export async function inside(options: BootOptions = {}) {
  const configuration = configure({ cpus: 2, memory: '16MiB', invariants: true, ...options });
  const heap = format(configuration);
  (globalThis as Record<symbol, unknown>)[BINDING] = { heap, cpu: 0 };
  (globalThis as { INVARIANTS?: boolean }).INVARIANTS = configuration.invariants;
  // one table an isolate: the last machine's functions must not answer for this one
  delete (globalThis as Record<symbol, unknown>)[Symbol.for('smpalloc.ipifuncs')];
  vi.resetModules();
  const curcpu = await import('../../src/hw/curcpu.switch.js');
  const engine = await import('../../src/engine.js');
  const audit = await import('../../src/workload/audit.js');
  const parts = await modules();
  const as = (cpu: number): void => curcpu.switchCpu(cpu);
  const ncpu = configuration.cpus + configuration.attach;
  for (let cpu = 0; cpu < ncpu; cpu++) {
    as(cpu);
    engine.cpuStartup();
  }
  as(0);
  const memory = new Memory(heap);
  const word = (address: number, offset: number): number => engine.i32[(address >>> 2) + offset]!;
  /** Address of the zone a chunk lies in. */
  const zoneOf = (chunk: number): number => parts.slab.zoneOf(chunk);
  return {
    ...engine,
    /** live bindings of a module graph must be read through it */
    engine,
    /** modules below engine.ts, of the same graph */
    ...parts,
    configuration,
    memory,
    heap,
    ncpu,
    as,
    /** does something as another CPU, and is this one again */
    on<T>(cpu: number, act: () => T): T {
      const before = curcpu.curcpu;
      as(cpu);
      try {
        return act();
      } finally {
        as(before);
      }
    },
    /** the structure's word at an address */
    word,
    poke(address: number, offset: number, value: number): void {
      engine.i32[(address >>> 2) + offset] = value;
    },
    zoneOf,
    /** a machine's counter or tunable by name */
    sysctl: (name: string, cpu?: number | undefined) => memory.sysctl(name, cpu),
    /** Takes chunks of one zone until it has none: the next allocation of the class begins another. */
    exhaust(size: number, type: number): number[] {
      const chunks = [engine.kmalloc(size, type, engine.M_WAITOK)];
      const z = zoneOf(chunks[0]!);
      while (word(z, Z_NFREE) > 0) chunks.push(engine.kmalloc(size, type, engine.M_WAITOK));
      if (word(z, Z_LISTED) !== 0 || chunks.length !== word(z, Z_NMAX)) throw new Error('exhaust: not a fresh class');
      return chunks;
    },
    /** serves every CPU's interrupts and the passive messages, `rounds` times, then audits */
    quiesceAndAudit(rounds = 3) {
      for (let round = 0; round < rounds; round++) {
        for (let cpu = 0; cpu < ncpu; cpu++) {
          as(cpu);
          audit.auditDrain();
        }
      }
      as(0);
      return audit.auditMachine();
    },
  };
}

async function modules() {
  return {
    atomics: await import('../../src/hw/atomics.js'),
    intr: await import('../../src/hw/intr.js'),
    crit: await import('../../src/kern/critical.js'),
    cpusync: await import('../../src/kern/lwkt_cpusync.js'),
    gd: await import('../../src/kern/globaldata.js'),
    ipiq: await import('../../src/kern/lwkt_ipiq.js'),
    ktrace: await import('../../src/kern/ktr.js'),
    mutex: await import('../../src/kern/kern_mutex.js'),
    panics: await import('../../src/kern/panic.js'),
    spl: await import('../../src/kern/splz.js'),
    stats: await import('../../src/kern/malloc_stats.js'),
    types: await import('../../src/kern/malloc_type.js'),
    phys: await import('../../src/vm/vm_phys.js'),
    page: await import('../../src/vm/vm_page.js'),
    ku: await import('../../src/vm/kmemusage.js'),
    slab: await import('../../src/dragonfly/slglobaldata.js'),
    zindex: await import('../../src/dragonfly/zoneindex.js'),
    phase: await import('../../src/workload/phase.js'),
    fbsd: await freebsdModules(),
  };
}

/** Modules of malloc(9) and UMA, which only matter on a machine with `alloc: 'freebsd'`. */
async function freebsdModules() {
  return {
    ...(await import('../../src/freebsd/kern_malloc.js')),
    ...(await import('../../src/freebsd/kern_realloc.js')),
    ...(await import('../../src/freebsd/kmeminit.js')),
    ...(await import('../../src/freebsd/malloc_abi.js')),
    ...(await import('../../src/freebsd/malloc_fail.js')),
    ...(await import('../../src/freebsd/malloc_init.js')),
    ...(await import('../../src/freebsd/uma_bucket.js')),
    ...(await import('../../src/freebsd/uma_core.js')),
    ...(await import('../../src/freebsd/uma_dbg.js')),
    ...(await import('../../src/freebsd/uma_drain.js')),
    ...(await import('../../src/freebsd/uma_func.js')),
    ...(await import('../../src/freebsd/uma_hash.js')),
    ...(await import('../../src/freebsd/uma_int.js')),
    ...(await import('../../src/freebsd/uma_item.js')),
    ...(await import('../../src/freebsd/uma_size.js')),
    ...(await import('../../src/freebsd/uma_slab.js')),
    ...(await import('../../src/freebsd/uma_startup.js')),
    ...(await import('../../src/freebsd/uma_zone.js')),
    ...(await import('../../src/freebsd/vm_kern.js')),
    KMALLOC: (await import('../../src/freebsd/kern_malloc_words.js')).KMALLOC,
    kprintf: (await import('../../src/kern/subr_prf.js')).kprintf,
  };
}

export type Inside = Awaited<ReturnType<typeof inside>>;

/** Code of the panic that `act` provokes, 0 when it provokes none. */
export function panicCodeOf(act: () => unknown): number {
  try {
    act();
    return 0;
  } catch (error) {
    const code = (error as { panicCode?: number }).panicCode;
    if (code === undefined) throw error;
    return code;
  }
}

type Access = 'load' | 'store' | 'compareExchange' | 'exchange' | 'add' | 'or' | 'and';

/**
 * One interleaving, driven by hand: while `run` runs, `then` happens once, right after the first access of this kind to
 * the word. Let `then` be another CPU's doing (m.on).
 */
export function afterAccess<T>(access: Access, word: number, then: () => void, run: () => T): T {
  return atAccess(access, word, () => {}, then, run);
}

/** The same, right before the access. */
export function beforeAccess<T>(access: Access, word: number, then: () => void, run: () => T): T {
  return atAccess(access, word, then, () => {}, run);
}

function atAccess<T>(access: Access, word: number, before: () => void, after: () => void, run: () => T): T {
  const real = Atomics[access] as (...args: unknown[]) => number;
  let done = false;
  const patched = (...args: unknown[]): number => {
    if (done || args[1] !== word) return real.apply(Atomics, args);
    done = true;
    before();
    const value = real.apply(Atomics, args);
    after();
    return value;
  };
  const target = Atomics as unknown as Record<string, unknown>;
  target[access] = patched;
  let result: T;
  try {
    result = run();
  } finally {
    target[access] = real;
  }
  if (!done) throw new Error(`no ${access} of word ${word}`);
  return result;
}

const MOST_WAITS = 1000;

/**
 * While `run` runs, a CPU that halts does not sleep: `step` happens instead, which is the time to be another CPU.
 * A wait nobody ends is an error, not a hang.
 */
export function whileWaiting<T>(step: (wait: number) => void, run: () => T): T {
  const target = Atomics as unknown as { wait: unknown };
  const real = target.wait;
  let waits = 0;
  target.wait = () => {
    if (++waits > MOST_WAITS) throw new Error(`whileWaiting: ${MOST_WAITS} waits, and nobody ends them`);
    step(waits);
    return 'ok';
  };
  try {
    return run();
  } finally {
    target.wait = real;
  }
}
