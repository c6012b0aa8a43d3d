/**
 * subject.ts — a scenario on a machine, ready to be run again and again: one call, one execution, one verdict.
 *
 * The verdict is made outside of the code under test, in this order: what the scheduler saw (panic, race ...), messages
 * nobody will tell of, the machine brought to rest and audited, blocks that are out against blocks that callers hold,
 * the scenario's own `after` and `outcome`.
 */
import { DEFECT_NAMES } from '../base/defects.js';
import { SmpallocError } from '../base/errors.js';
import { FAILURE_CLASSES } from '../base/failures.js';
import type { BootOptions } from '../host/options.js';
import type { Failure } from '../hw/stepped/failure.js';
import { type Client, defineType, makeClient, makeSetup, makeView, type Setup, type View } from './kit.js';
import { atEnd, checkDangling, Oracles } from './oracles.js';
import { ruleChecker } from './rules.js';
import type { Operation, Scenario, Wrong } from './scenario.js';
import { bootStepped, type SteppedEngine, type SteppedMachine } from './stepped.js';

export interface SubjectOptions {
  /** override the scenario's boot options */
  readonly machine?: BootOptions;
  readonly defects?: readonly string[];
  readonly points?: 'shared' | 'all';
  readonly memory?: 'sc' | 'tso';
  /** failed compare-and-swaps of one word in one operation before the execution is cut; Infinity: never */
  readonly casFails?: number;
  readonly races?: boolean;
  readonly rules?: boolean;
  /** a machine of this configuration that nobody else uses now: saves the loading */
  readonly on?: SteppedMachine;
  /** operations left out, as 'thread.index' */
  readonly dropped?: ReadonlySet<string>;
}

export interface Verdict {
  readonly failure: Failure | null;
  /** false: the execution was cut before its end */
  readonly ended: boolean;
  /** the scenario's name for what came out, '' without one */
  readonly outcome: string;
}

export interface Thread {
  readonly cpu: number;
  readonly role: string;
  /** 'cpu0 owner' */
  readonly title: string;
  readonly operations: readonly Operation[];
}

export interface Subject {
  readonly scenario: Scenario;
  readonly options: SubjectOptions;
  readonly machine: SteppedMachine;
  readonly engine: SteppedEngine;
  readonly view: View;
  readonly threads: readonly Thread[];
  readonly memory: 'sc' | 'tso';
  readonly points: 'shared' | 'all';
  /** One execution under engine.access.hooks.decide. */
  execute(): Verdict;
  /** Hash of the memory, but for counts of events, as the last execution left it. */
  finalHeap(): string;
  /** The machine as it stands is where executions end; call after execute. */
  readonly results: readonly (readonly unknown[])[];
  /** Settings of the engine are the isolate's copy's: call before running another subject of the same engine. */
  attach(): void;
}

/** @throws SmpallocError ESMP_INPUT, ESMP_OPTION when the scenario or an option is not usable */
export async function prepareSubject(scenario: Scenario, options: SubjectOptions = {}): Promise<Subject> {
  const { machine, defects } = machineFor(scenario, options);
  // the others are mistakes of the scenario itself, which asks for them: Setup.defect
  const engineDefects = defects.filter((name) => DEFECT_NAMES.includes(name));
  const cpus = scenario.cpus.length;
  const booted = options.on ?? (await bootStepped({ ...machine, cpus, defects: engineDefects }));
  options.on?.restore();
  const { engine } = booted;
  const type = engine.run.asCpu(0, () => defineType(booted, 'scenario'));
  const setup = makeSetup(booted, type, options.defects ?? []);
  const state = guarded(scenario, 'setup', () => scenario.setup?.(setup));
  const threads = makeThreads(scenario, setup, state, options.dropped ?? new Set());
  const memory = options.memory ?? scenario.memory ?? 'sc';
  const points = options.points ?? scenario.points ?? 'shared';
  const view = makeView(booted);
  const rules = (options.rules ?? scenario.rules ?? true) && scenario.rules !== false ? ruleChecker(booted) : null;
  const races = (options.races ?? true) && scenario.races !== false && memory === 'sc';
  const results = engine.run.results;

  function attach(): void {
    const clients: Client[] = [];
    const programs = threads.map(({ cpu, operations }, e) => {
      results[e] ??= [];
      clients[e] = makeClient(booted, cpu, type, results[e]);
      return { cpu, operations: operations.map(({ run }) => () => run(clients[e]!)) };
    });
    engine.run.prepare(programs, scenario.cpus.length, booted.splz, booted.critWords, {
      interrupts: scenario.interrupts !== false,
      tso: memory === 'tso',
    });
    engine.access.options.allPoints = points === 'all';
    engine.access.options.stepLimit = scenario.stepLimit ?? 20000;
    engine.access.options.torn = scenario.torn === true || setup.defect('R3');
    engine.access.casBudget.fails = options.casFails ?? scenario.casFails ?? 1;
    engine.shadow.checks.races = races;
    engine.access.hooks.rule = rules;
    engine.access.hooks.watch = null;
    engine.access.hooks.invariant = scenario.invariant ? () => textOf(scenario.invariant!(view, state)) : null;
    engine.shadow.onPagesFreed.call = (address, bytes) => checkDangling(booted, address, bytes);
  }
  attach();
  let heap = engine.journal.heapHash();

  const oracles = new Oracles(booted, scenario.after !== undefined || scenario.result !== undefined);

  function execute(): Verdict {
    const ended = engine.run.run();
    heap = engine.journal.heapHash();
    if (!ended) return { failure: null, ended, outcome: '' };
    const failure = engine.failure.execution.failure ?? judge();
    if (failure) return { failure, ended, outcome: '' };
    if (!scenario.result) return { failure: null, ended, outcome: '' };
    const outcome = guarded(scenario, 'result', () => scenario.result!(view, state, results));
    const grade = scenario.outcome?.[outcome] ?? scenario.outcome?.['*'] ?? 'acceptable';
    if (grade !== 'forbidden') return { failure: null, ended, outcome };
    return { failure: atEnd('outcome', `'${outcome}' is forbidden`), ended, outcome };
  }

  function judge(): Failure | null {
    return oracles.judge() ?? own();
  }

  function own(): Failure | null {
    const wrong = guarded(scenario, 'after', () => scenario.after?.(view, state, results));
    if (typeof wrong === 'string' && wrong !== '') return atEnd('invariant', wrong);
    if (isWrong(wrong)) return atEnd(wrong.cls, wrong.message);
    return wrong === false ? atEnd('invariant', 'after() is false') : null;
  }

  return {
    scenario, options, machine: booted, engine, view, threads, memory, points, execute, results, attach,
    finalHeap: () => heap.toString(16),
  };
}

function machineFor(scenario: Scenario, options: SubjectOptions): { machine: BootOptions; defects: readonly string[] } {
  const defects = options.defects ?? [];
  for (const name of defects) {
    if (scenario.defects?.includes(name)) continue;
    const there = scenario.defects?.join(', ') || 'none';
    const what = `--defect: '${name}' is no defect of scenario '${scenario.name}'`;
    throw new SmpallocError('ESMP_OPTION', `${what}; it has ${there}`);
  }
  return { machine: { signalDelay: 0, mutex: 'futex', ...scenario.machine, ...options.machine }, defects };
}

function isWrong(answer: unknown): answer is Wrong {
  return typeof answer === 'object' && answer !== null && Object.hasOwn(FAILURE_CLASSES, (answer as Wrong).cls);
}

const textOf = (broken: unknown): string => (typeof broken === 'string' ? broken : '');

/** Runs a function of the scenario file. @throws SmpallocError ESMP_INPUT naming scenario and function */
function guarded<T>(scenario: Scenario, what: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (SmpallocError.is(cause)) throw cause;
    const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
    throw new SmpallocError('ESMP_INPUT', `scenario '${scenario.name}': ${what} threw ${name}: ${message}`, { cause });
  }
}

function makeThreads(scenario: Scenario, k: Setup, state: unknown, dropped: ReadonlySet<string>): Thread[] {
  const ranks = new Map<string, number>();
  const make = (cpu: number, role: string, nth: string): Thread => {
    const rank = ranks.get(role) ?? 0;
    ranks.set(role, rank + 1);
    const operations = guarded(scenario, `cpu.${role}`, () => scenario.cpu[role]!(k, state, rank));
    if (!Array.isArray(operations) || operations.some((op) => typeof op?.run !== 'function')) {
      const what = `cpu.${role} returns no list of k.op(name, run)`;
      throw new SmpallocError('ESMP_INPUT', `scenario '${scenario.name}': ${what}`);
    }
    return { cpu, role, title: `cpu${cpu} ${role}${nth}`, operations };
  };
  const threads = scenario.cpus.map((role, cpu) => make(cpu, role, ''));
  for (const [cpu, role] of Object.entries(scenario.threads ?? {})) {
    threads.push(make(Number(cpu), role, ' (2nd thread)'));
  }
  return threads.map((thread, e) => ({
    ...thread,
    operations: thread.operations.filter((_, n) => !dropped.has(`${e}.${n}`)),
  }));
}
