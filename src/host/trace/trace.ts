/** trace.ts — what a trace reader gives: events to a sink while it reads, one summary when it is done. */

export type TraceFormat = 'alloctrace' | 'perf' | 'ftrace' | 'mtrace';

/** Receives the events in the order of the file. */
export interface TraceSink {
  /**
   * An object is born.
   * @param cpu thread index as recorded (dense, by first appearance); the real cpu in a kernel trace
   * @param id positive integer, born once
   * @param size bytes asked for
   * @param type index into `TraceSummary.types`; 0 where the format has no types
   */
  alloc(cpu: number, id: number, size: number, type: number): void;
  /** The live object `id` dies on `cpu`. */
  free(cpu: number, id: number): void;
  /** The live object `oldId` dies and `id` is born in one step. */
  realloc(cpu: number, id: number, size: number, oldId: number, type: number): void;
  /** Called between chunks of input; the reader waits for it, so it is the back-pressure. */
  drain(): Promise<void>;
}

export interface ReadOptions {
  /** The first bad line, or a file that ends early, is an error instead of a counted warning. */
  strict?: boolean;
  /** Ends the read; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Longest line in bytes, default 65536; a longer one is skipped and counted bad. */
  maxLine?: number;
}

export interface TraceSummary {
  format: TraceFormat;
  /** From the trace's header, else from the file name. */
  name: string;
  kernel: boolean;
  /** Distinct threads (cpus) that had an event. */
  threads: number;
  /** Malloc types of a kernel trace: call sites (kmalloc) and cache names (kmem_cache_alloc); else empty. */
  types: string[];
  lines: number;
  /** Calls made to the sink. */
  events: number;
  /** Births, reallocs included. */
  allocations: number;
  /** Deaths, reallocs included. */
  frees: number;
  bad: { count: number; firstLine: number; reason: string };
  dropped: Dropped;
  /** The file ended early: a cut gzip, or fewer events than its header says. What came was delivered. */
  truncated: boolean;
}

/** What the reader left out or made up; none of it is the file's fault, so none of it is a bad line. */
export interface Dropped {
  nullFrees: number;
  /** Frees of an address that was born before the trace began. */
  unknownFrees: number;
  /** Frees nobody recorded: the address came back in a later allocation. These are delivered. */
  inferredFrees: number;
  failedAllocs: number;
  /** Events that are not about slab objects. */
  otherEvents: number;
  /** Events the recorder says it lost. */
  lostEvents: number;
}

/** One format's parser: takes lines (without their end) and calls the tally. */
export interface FormatReader {
  line(bytes: Buffer, start: number, end: number): void;
  /** A line was dropped unread: what follows may not connect. */
  skipped?(): void;
  /** After the last line. */
  end(): void;
}
