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
import { defineType, makeClient, makeSetup, makeView, type Setup, type View } from './kit.js';
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
  /**
   * The verdict on the memory and the results as they stand, brought to rest.
   * @param key hash of the memory, where one that was judged before need not be again
   */
  judge(key: number | null): Verdict;
  /** Hash of the memory, but for counts of events, as the last execution left it. */
  finalHeap(): string;
  /** Results of each thread's operations, as the last execution left them. */
  readonly results: readonly (readonly unknown[])[];
}

/** @throws SmpallocError ESMP_INPUT, ESMP_OPTION when the scenario or an option is not usable */
export async function prepareSubject(scenario: Scenario, options: SubjectOptions = {}): Promise<Subject> {
  const { machine: bootOptions, engineDefects } = machineFor(scenario, options);
  const cpus = scenario.cpus.length;
  const machine = options.on ?? (await bootStepped({ ...bootOptions, cpus, defects: engineDefects }));
  options.on?.restore();
  const { engine } = machine;
  const type = engine.run.asCpu(0, () => defineType(machine, 'scenario'));
  const setup = makeSetup(machine, type, options.defects ?? []);
  const state = guarded(scenario, 'setup', () => scenario.setup?.(setup));
  if (typeof state?.then === 'function') {
    throw new SmpallocError('ESMP_INPUT', `scenario '${scenario.name}': setup is asynchronous: it runs to its end`);
  }
  const threads = makeThreads(scenario, setup, state, options.dropped ?? new Set());
  const view = makeView(machine);
  const memory = options.memory ?? scenario.memory ?? 'sc';
  const points = options.points ?? scenario.points ?? (scenario.moves ? 'all' : 'shared');
  const { results } = engine.run;
  const modes = { interrupts: scenario.interrupts !== false, tso: memory === 'tso' };
  load(machine, threads, scenario.moves ?? {}, type, modes);
  setChecks(machine, scenario, options, memory);
  engine.access.options.allPoints = points === 'all';
  engine.access.options.torn = scenario.torn === true || setup.defect('R3');
  const { invariant } = scenario;
  engine.access.hooks.invariant = invariant ? () => textOf(invariant(view, state)) : null;
  const oracles = new Oracles(machine, scenario.after !== undefined || scenario.result !== undefined);
  let heap = engine.journal.heapHash();

  function execute(): Verdict {
    const ended = engine.run.run();
    heap = engine.journal.heapHash();
    return ended ? judge(heap) : { failure: null, ended, outcome: '' };
  }

  function judge(key: number | null): Verdict {
    const seen = engine.failure.execution.failure ?? oracles.judge(key);
    const failure = seen ?? ownVerdict(scenario, view, state, results);
    if (failure || !scenario.result) return { failure, ended: true, outcome: '' };
    const outcome = guarded(scenario, 'result', () => scenario.result!(view, state, results));
    return { failure: graded(scenario, outcome), ended: true, outcome };
  }

  return {
    scenario, options, machine, engine, view, threads, memory, points, execute, judge, results,
    finalHeap: () => heap.toString(16),
  };
}

/** Gives the threads' operations to the engine: from now on executions begin with the memory as it is. */
function load(
  machine: SteppedMachine, threads: readonly Thread[], moves: NonNullable<Scenario['moves']>, type: number,
  modes: { interrupts: boolean; tso: boolean },
): void {
  const { run } = machine.engine;
  const programs = threads.map(({ cpu, operations }, e) => {
    run.results[e] ??= [];
    const client = makeClient(machine, cpu, type, run.results[e]);
    return { cpu, moves: moves[e] ?? [], operations: operations.map((operation) => () => operation.run(client)) };
  });
  run.prepare(programs, machine.configuration.cpus, machine.splz, machine.critWords, modes);
}

function setChecks(machine: SteppedMachine, scenario: Scenario, options: SubjectOptions, memory: 'sc' | 'tso'): void {
  const { access, shadow } = machine.engine;
  const wanted = (what: 'races' | 'rules') => (options[what] ?? true) && scenario[what] !== false;
  shadow.checks.races = wanted('races') && memory === 'sc';
  shadow.onPagesFreed.call = (address, bytes) => checkDangling(machine, address, bytes);
  access.hooks.rule = wanted('rules') ? ruleChecker(machine) : null;
  access.hooks.watch = null;
  access.options.stepLimit = scenario.stepLimit ?? 20000;
  access.casBudget.fails = options.casFails ?? scenario.casFails ?? 1;
}

/** What the scenario itself says of the end. */
function ownVerdict(scenario: Scenario, view: View, state: unknown, results: Subject['results']): Failure | null {
  const wrong = guarded(scenario, 'after', () => scenario.after?.(view, state, results));
  if (typeof wrong === 'string' && wrong !== '') return atEnd('invariant', wrong);
  if (isWrong(wrong)) return atEnd(wrong.cls, wrong.message);
  return wrong === false ? atEnd('invariant', 'after() is false') : null;
}

function graded({ outcome: grades }: Scenario, outcome: string): Failure | null {
  const grade = grades?.[outcome] ?? grades?.['*'] ?? 'acceptable';
  return grade === 'forbidden' ? atEnd('outcome', `'${outcome}' is forbidden`) : null;
}

/**
 * Boot options of a scenario's machine, and the defects it is booted with: the others are mistakes of the scenario
 * itself, which asks for them (Setup.defect).
 * @throws SmpallocError ESMP_OPTION for a defect the scenario does not have
 */
export function machineFor(
  scenario: Scenario, options: SubjectOptions,
): { machine: BootOptions; engineDefects: readonly string[] } {
  const defects = options.defects ?? [];
  for (const name of defects) {
    if (scenario.defects?.includes(name)) continue;
    const there = scenario.defects?.join(', ') || 'none';
    const what = `--defect: '${name}' is no defect of scenario '${scenario.name}'`;
    throw new SmpallocError('ESMP_OPTION', `${what}; it has ${there}`);
  }
  return {
    machine: { signalDelay: 0, mutex: 'futex', ...scenario.machine, ...options.machine },
    engineDefects: defects.filter((name) => DEFECT_NAMES.includes(name)),
  };
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
