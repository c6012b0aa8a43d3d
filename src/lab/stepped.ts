/**
 * stepped.ts — a machine whose CPUs take steps: the stepped flavour of the engine, loaded for one configuration.
 *
 * Policies are constants of a loaded engine, so each configuration loads its own copy; they stay loaded for the life of
 * the process, a few hundred KiB each beside their memory.
 */
import { BINDING } from '../hw/ticket.js';
import { format } from '../host/format.js';
import { type BootOptions, type Configuration, configure } from '../host/options.js';
import { distUrl } from '../host/root.js';
import { GD_CRIT } from '../kern/globaldata.layout.js';
import { Memory } from '../observe/memory.js';
import { panicRecord } from '../observe/panic_report.js';
import type * as Engine from '../stepped.js';

export type SteppedEngine = typeof Engine;

export type Form = 'stepped' | 'baton' | 'stress';

export interface SteppedMachine {
  readonly configuration: Configuration;
  readonly heap: SharedArrayBuffer;
  /** the memory as an observer reads it */
  readonly memory: Memory;
  readonly engine: SteppedEngine;
  /** what an interrupt does */
  readonly splz: () => void;
  readonly critWords: readonly number[];
  /** The memory as it was when the machine had just been switched on. */
  restore(): void;
}

/** enough for a few zones a CPU, and little to look through at the end of an execution */
const MEMORY = '2MiB';
const IPIFUNCS = Symbol.for('smpalloc.ipifuncs');

/** Switches a stepped machine on: all its CPUs are up and inside a phase. */
export async function bootStepped(options: BootOptions): Promise<SteppedMachine> {
  const configuration = configure({ cpus: 2, memory: MEMORY, ...options }, { stepped: true });
  return switchOn(configuration, format(configuration), 'stepped');
}

/**
 * Loads an engine for this memory, as it is when it has just been formatted, and starts its CPUs.
 * @param form for one of several threads: 'baton', those that replay together (hw/baton); 'stress', those that run
 * @param onLoad told when the engine is there, before anything is done with it
 */
export async function switchOn(
  configuration: Configuration, heap: SharedArrayBuffer, form: Form, onLoad: (engine: SteppedEngine) => void = () => {},
): Promise<SteppedMachine> {
  const engine = await loadEngine(heap, configuration.invariants, 0, form);
  onLoad(engine);
  const ncpu = configuration.cpus;
  for (let cpu = 0; cpu < ncpu; cpu++) {
    engine.run.asCpu(cpu, () => {
      engine.engine.cpuStartup();
      engine.engine.phaseEnter();
    });
  }
  const memory = new Memory(heap);
  engine.run.texts.panic = () => panicRecord(memory)?.message ?? 'stopped';
  const critWords = Array.from({ length: ncpu }, (_, cpu) => memory.gd(cpu) + GD_CRIT);
  const pristine = memory.i32.slice();
  const restore = (): void => {
    memory.i32.set(pristine);
    engine.shadow.kasanForget();
  };
  return { configuration, heap, memory, engine, splz: engine.engine.splz, critWords, restore };
}

let copies = 0;

/** A fresh copy of the engine, bound to `heap`. */
async function loadEngine(
  heap: SharedArrayBuffer, invariants: boolean, cpu: number, form: Form,
): Promise<SteppedEngine> {
  const isolate = globalThis as Record<symbol, unknown>;
  isolate[BINDING] = { heap, cpu };
  // one table an isolate: the last copy's handlers must not answer for this one
  delete isolate[IPIFUNCS];
  const url = distUrl(`${form}${invariants ? '-invariants' : ''}/engine.js`);
  url.searchParams.set('copy', String(copies++));
  return (await import(url.href)) as SteppedEngine;
}
