/**
 * machine.ts — a machine: its memory, its CPUs, the clock, and what happens when one of them dies.
 *
 *   boot ──► workers up, kernel built by CPU 0 ──► run phases ──► stop
 *                                                    │ panic, or a worker's death: every waiter is woken, every
 *                                                    ▼ pending call settles, the memory stays for the post-mortem
 */
import { Worker } from 'node:worker_threads';
import { SmpallocError } from '../base/errors.js';
import { P_CPU_DIED } from '../base/panics.js';
import type { CpuApi, PhaseResult } from '../base/protocol.js';
import type { CpuTicket } from '../hw/ticket.js';
import type { Audit } from '../workload/audit.js';
import { Memory } from '../observe/memory.js';
import { messageRecords } from '../observe/msgbuf.js';
import { panicRecord, panicReport } from '../observe/panic_report.js';
import { writeCore } from './core.js';
import { failMalloc, type MallocFailure, mallocFailures } from './fail_malloc.js';
import { format } from './format.js';
import { type Link, link } from './link.js';
import { type BootOptions, type Configuration, configure } from './options.js';
import { engineUrl } from './root.js';
import { Switchboard } from './switchboard.js';
import { SysctlServer } from './sysctl_server.js';

const TICK_MS = 10;
/** after a panic: how long a CPU may take to notice before its worker is ended */
const GRACE_MS = 2000;

/** The machine panicked: `report` is what the kernel prints. */
export class MachinePanic extends SmpallocError {
  override readonly name = 'MachinePanic';
  readonly panicCode: number;
  readonly report: readonly string[];
  readonly #heap: SharedArrayBuffer | null;

  constructor(panicCode: number, report: readonly string[], heap: SharedArrayBuffer | null = null) {
    super('ESMP_PANIC', report[0] ?? 'panic');
    this.panicCode = panicCode;
    this.report = report;
    this.#heap = heap;
  }

  /** Writes the memory of the machine, as Machine.dumpCore does: it outlives its CPUs. */
  async dumpCore(path: string): Promise<void> {
    if (!this.#heap) throw new SmpallocError('ESMP_PANIC', 'the memory of this machine was not kept');
    await writeCore(path, this.#heap);
  }
}

export interface RunOptions {
  /** CPUs that take part; default: all the machine started itself */
  cpus?: readonly number[];
  /** milliseconds after which the phase is given up and the machine stopped; default: no limit */
  timeout?: number;
  /** aborting stops the machine */
  signal?: AbortSignal;
}

/**
 * Starts a machine.
 * @returns it, when every CPU is up
 * @throws SmpallocError ESMP_OPTION for unusable options, ESMP_PHASE when a CPU cannot start
 */
export async function boot(options: BootOptions = {}): Promise<Machine> {
  const machine = new Machine(configure(options), options.console);
  await machine.started;
  if (options.listen === undefined) return machine;
  try {
    await machine.listen(options.listen);
  } catch (cause) {
    await machine.stop();
    throw cause;
  }
  return machine;
}

export class Machine {
  readonly configuration: Configuration;
  /** the memory, for observers */
  readonly memory: Memory;
  /** settles when all CPUs are up; boot() awaits it */
  readonly started: Promise<void>;

  readonly #heap: SharedArrayBuffer;
  readonly #switchboard: Switchboard;
  readonly #links: Link<CpuApi>[] = [];
  readonly #clock: NodeJS.Timeout;
  readonly #servers: SysctlServer[] = [];
  #nextTicket: number;
  #stopping = false;
  readonly #console: ((line: string) => void) | undefined;
  /** messages of the kernel printed so far */
  #printed = 0;

  constructor(configuration: Configuration, console?: (line: string) => void) {
    this.configuration = configuration;
    this.#heap = format(configuration);
    this.memory = new Memory(this.#heap);
    this.#switchboard = new Switchboard(this.memory);
    this.#nextTicket = configuration.cpus;
    for (let cpu = 0; cpu < configuration.cpus; cpu++) this.#links.push(this.#startCpu(cpu));
    this.#console = console;
    this.#clock = setInterval(() => {
      this.#switchboard.tick();
      this.#printMessages();
    }, TICK_MS);
    this.#clock.unref();
    this.started = this.run('smpalloc:workloads', 'ready').then(
      () => {},
      async (cause) => {
        await this.stop();
        throw cause;
      },
    );
  }

  /**
   * Runs one function on every CPU at once and waits for all of them.
   * @param module file URL of a module, imported once in each CPU
   * @param name the function it exports: `(part, ...args) => value`
   * @param args structured-clonable arguments
   * @returns what each CPU returned, by rank
   * @throws MachinePanic when the machine panics meanwhile, SmpallocError ESMP_TIMEOUT, ESMP_HALTED
   */
  async run(
    module: string | URL, name: string, args: readonly unknown[] = [], options: RunOptions = {},
  ): Promise<unknown[]> {
    return (await this.measure(module, name, args, options)).values;
  }

  /** The same, with the CPU milliseconds its threads really got together (null where the host cannot tell). */
  async measure(
    module: string | URL,
    name: string,
    args: readonly unknown[] = [],
    options: RunOptions = {},
  ): Promise<{ values: unknown[]; cpuMs: number | null }> {
    if (this.#switchboard.stopped) throw this.#stopError();
    const cpus = options.cpus ?? this.#links.map((_, cpu) => cpu);
    const calls = cpus.map((cpu, rank) => this.#call(cpu, rank, cpus.length, String(module), name, args));
    let grace: NodeJS.Timeout | undefined;
    for (const call of calls) {
      void call.then(
        (result) => {
          if (!result?.ok) grace ??= setTimeout(() => void this.stop(), GRACE_MS);
        },
        // arguments or a value that cannot be sent: #guard rejects with that
        () => {},
      );
    }
    const results = await this.#guard(Promise.all(calls), options).finally(() => clearTimeout(grace));
    const failed = results.find((result) => result === null || !result.ok);
    if (failed === undefined) {
      const done = results as { value: unknown; cpuMs: number | null }[];
      const cpuMs = done.reduce<number | null>(
        (sum, { cpuMs }) => (sum === null || cpuMs === null ? null : sum + cpuMs), 0,
      );
      return { values: done.map(({ value }) => value), cpuMs };
    }
    throw this.#stopError(failed ?? undefined);
  }

  /**
   * Brings the machine to rest and checks that every chunk, page, message and count is where it must be. CPUs that are
   * attached should be idle.
   */
  async audit(options: RunOptions = {}): Promise<Audit> {
    const [audit] = await this.run('smpalloc:workloads', 'audit', [], options);
    return audit as Audit;
  }

  /** A variable by name, see observe/memory. */
  sysctl(name: string, cpu?: number): number {
    return this.memory.sysctl(name, cpu);
  }

  /**
   * From now on mallocs fail that may (M_NOWAIT; allocator 'freebsd' only).
   * @throws SmpallocError ESMP_OPTION naming the value and what would be right
   */
  failMalloc(failure: MallocFailure): void {
    failMalloc(this.memory, failure);
  }

  /** Mallocs that were made to fail so far. */
  get mallocFailures(): number {
    return mallocFailures(this.memory);
  }

  /**
   * What a worker of yours needs to become a CPU of this machine: put it into its workerData as `smpalloc`, or send it.
   * @throws SmpallocError ESMP_OPTION when all CPUs of option `attach` are taken
   */
  ticket(): CpuTicket {
    const { cpus, attach } = this.configuration;
    if (this.#nextTicket >= cpus + attach) {
      throw new SmpallocError(
        'ESMP_OPTION',
        `attach: all ${attach} attachable CPUs have tickets; boot with attach: ${attach + 1} or more`,
      );
    }
    return { heap: this.#heap, cpu: this.#nextTicket++ };
  }

  /** Watches a worker that attached: if it ends without detaching, the machine panics instead of waiting for it. */
  adopt(worker: Worker, ticket: CpuTicket): void {
    worker.once('exit', (code) => {
      if (!this.#stopping && this.#switchboard.isOnline(ticket.cpu)) this.#died(ticket.cpu, code);
    });
  }

  /**
   * Writes the memory to a file that ddb and observers read.
   * @param cpu the CPU it is about, where none has panicked
   */
  dumpCore(path: string, cpu: number | null = null): Promise<void> {
    return writeCore(path, this.#heap, cpu);
  }

  /** The panic report, or null while all is well. */
  get panicReport(): string[] | null {
    return panicRecord(this.memory) ? panicReport(this.memory) : null;
  }

  /**
   * From now on other processes may read the machine's statistics at this Unix domain socket (smpalloc vmstat PATH);
   * no CPU takes notice. stop() removes it.
   * @throws SmpallocError ESMP_OPTION when the path is not usable, or taken; ESMP_HALTED when the machine is stopped
   */
  async listen(path: string): Promise<void> {
    this.#servers.push(await SysctlServer.listen(path, this.memory));
    if (!this.#stopping) return;
    await this.#closeServers();
    throw new SmpallocError('ESMP_HALTED', 'listen: the machine is stopped');
  }

  async #closeServers(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => server.close()));
  }

  /** Stops every CPU, waiting ones too, and ends their workers. The memory can still be read. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const closed = this.#closeServers();
    clearInterval(this.#clock);
    this.#switchboard.stop();
    await Promise.all([closed, ...this.#links.map((cpu) => cpu.close())]);
    this.#printMessages();
  }

  /** What the kernel has said since the last look, to whoever listens. */
  #printMessages(): void {
    if (!this.#console) return;
    for (const { number, text } of messageRecords(this.memory, this.#printed)) {
      this.#printed = number + 1;
      this.#console(text);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Ends one CPU's worker in the middle of whatever it does, as a failure would. For tests and teaching. */
  async killCpu(cpu: number): Promise<void> {
    await this.#links[cpu]!.close();
  }

  #startCpu(cpu: number): Link<CpuApi> {
    const worker = new Worker(engineUrl(this.#heap, 'vcpu.js'), {
      name: `vcpu${cpu}`,
      // our CPUs are files, whatever the host was started from (node --input-type=module -e ...)
      execArgv: process.execArgv.filter((arg) => !arg.startsWith('--input-type')),
      workerData: { smpalloc: { heap: this.#heap, cpu } satisfies CpuTicket },
    });
    const channel = link<CpuApi>(worker);
    void channel.ended.then(({ exitCode, error }) => {
      if (!this.#stopping) this.#died(cpu, exitCode, error?.message);
    });
    return channel;
  }

  #died(cpu: number, exitCode: number, why?: string): void {
    this.#switchboard.bury(cpu);
    this.#switchboard.panic(P_CPU_DIED, cpu, cpu, exitCode, why);
  }

  #call(
    cpu: number,
    rank: number,
    parties: number,
    module: string,
    name: string,
    args: readonly unknown[],
  ): Promise<PhaseResult | null> {
    const channel = this.#links[cpu];
    if (!channel) throw new SmpallocError('ESMP_OPTION', `cpus: the machine has no CPU ${cpu} of its own`);
    const part = { cpu, rank, parties };
    return channel.race(channel.remote.run({ module, name, args, part }) as Promise<PhaseResult>);
  }

  /** Waits for the calls, no longer than they were given. Giving up stops the machine: a stuck CPU cannot go on. */
  async #guard<T>(calls: Promise<T>, { timeout, signal }: RunOptions): Promise<T> {
    const waits: Promise<never>[] = [];
    let timer: NodeJS.Timeout | undefined;
    if (timeout !== undefined) {
      waits.push(
        new Promise((_, reject) => {
          timer = setTimeout(() => {
            reject(new SmpallocError('ESMP_TIMEOUT', `phase: not done after ${timeout} ms`));
          }, timeout);
        }),
      );
    }
    let onAbort: (() => void) | undefined;
    if (signal) {
      waits.push(
        new Promise((_, reject) => {
          onAbort = () => reject(signal.reason);
          if (signal.aborted) onAbort();
          else signal.addEventListener('abort', onAbort, { once: true });
        }),
      );
    }
    try {
      return await Promise.race([calls, ...waits]);
    } catch (cause) {
      await this.stop();
      throw cause;
    } finally {
      clearTimeout(timer);
      if (onAbort) signal?.removeEventListener('abort', onAbort);
    }
  }

  #stopError(result?: PhaseResult): SmpallocError {
    const record = panicRecord(this.memory);
    if (record) return new MachinePanic(record.code, panicReport(this.memory), this.#heap);
    const why = result && !result.ok ? `: ${result.message}` : '';
    return new SmpallocError('ESMP_HALTED', `the machine is stopped${why}`);
  }
}
