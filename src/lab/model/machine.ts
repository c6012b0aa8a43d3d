/**
 * machine.ts — a machine in virtual time: the modelled form of the engine, loaded for one configuration.
 *
 * As with the stepped machines (../stepped.ts): policies are constants of a loaded engine, so each cell loads its own.
 */
import { format } from '../../host/format.js';
import { type BootOptions, type Configuration, configure } from '../../host/options.js';
import { distUrl } from '../../host/root.js';
import { BINDING } from '../../hw/ticket.js';
import { GD_IPIMASK, GD_IPIMASK_WORDS, GD_WCHAN } from '../../kern/globaldata.layout.js';
import type * as Engine from '../../modelled.js';
import { Memory } from '../../observe/memory.js';
import { panicRecord } from '../../observe/panic_report.js';
import type { CostProfile } from './profile.js';

export type ModelledEngine = typeof Engine;

export interface ModelledMachine {
  readonly configuration: Configuration;
  readonly memory: Memory;
  readonly engine: ModelledEngine;
  /** Does `act` as CPU `cpu`, at no cost and in no time. */
  as<T>(cpu: number, act: () => T): T;
}

/** nanoseconds between two clock ticks: hz = 100, as natively */
const TICK_NS = 10_000_000;
const IPIFUNCS = Symbol.for('smpalloc.ipifuncs');
let copies = 0;

/**
 * Switches a modelled machine on: all its CPUs are up and inside a phase.
 * @param deliver nanoseconds an interrupt takes; null: what the profile says
 * @throws SmpallocError ESMP_OPTION for a configuration no machine can have
 */
export async function bootModelled(
  options: BootOptions, profile: CostProfile, deliver: number | null,
): Promise<ModelledMachine> {
  const configuration = configure(options);
  const heap = format(configuration);
  const engine = await loadEngine(heap, configuration.alloc);
  const memory = new Memory(heap);
  const { ncpu } = memory;
  const as = engine.run.asCpu;
  for (let cpu = 0; cpu < ncpu; cpu++) {
    as(cpu, () => {
      engine.engine.cpuStartup();
      engine.engine.phaseEnter();
    });
  }
  engine.costs.COST_NAMES.forEach((name, n) => {
    engine.costs.cost[n] = profile.ns[name];
  });
  if (deliver !== null) engine.costs.cost[engine.costs.IPI_DELIVER] = deliver;
  engine.run.wire({
    ncpu,
    cluster: profile.cluster,
    sockets: profile.sockets,
    splz: engine.engine.splz,
    channels: Array.from({ length: ncpu }, (_, cpu) => memory.gd(cpu) + GD_WCHAN),
    hasMessages: (cpu) => messagesOf(memory, cpu),
    tick: TICK_NS,
  });
  return { configuration, memory, engine, as };
}

function messagesOf(memory: Memory, cpu: number): boolean {
  const mask = memory.gd(cpu) + GD_IPIMASK;
  for (let word = 0; word < GD_IPIMASK_WORDS; word++) if (memory.i32[mask + word] !== 0) return true;
  return false;
}

/** What the machine says of its panic, if it had one. */
export function panicOf({ memory }: ModelledMachine): string | null {
  return panicRecord(memory)?.message ?? null;
}

async function loadEngine(heap: SharedArrayBuffer, alloc: string): Promise<ModelledEngine> {
  const isolate = globalThis as Record<symbol, unknown>;
  isolate[BINDING] = { heap, cpu: 0 };
  // one table an isolate: the last copy's handlers must not answer for this one
  delete isolate[IPIFUNCS];
  const url = distUrl(`${alloc}/model/engine.js`);
  url.searchParams.set('copy', String(copies++));
  return (await import(url.href)) as ModelledEngine;
}
