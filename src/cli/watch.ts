/**
 * watch.ts — a source of statistics on the command line: opening it, showing it again every so often, giving it up.
 *
 * ^C ends a view with what was printed, exit code 130. A live machine that stops while it is watched ends it too, and
 * that is no error.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SmpallocError } from '../base/errors.js';
import { type OpenSource, openSource, streamSource } from '../host/sysctl_source.js';
import { memstatMtlGeterror, memstatStrerror, type MemoryTypeList } from '../observe/memstat/list.js';
import { readText } from '../observe/memstat/source.js';
import type { MachineFacts } from '../observe/sysctl.js';
import { EXIT_OK } from './exit.js';
import { positive, time } from './options.js';
import { STDIN } from './replay.js';
import type { Session } from './session.js';

export interface WatchFlags {
  wait?: unknown;
  count?: unknown;
  json?: boolean;
}

/** seconds between two views where only their number was said */
const DEFAULT_WAIT_MS = 1000;

/** @returns the source, closed as soon as the session is interrupted @throws SmpallocError ESMP_INPUT */
export async function openFor(path: string, session: Session): Promise<OpenSource> {
  const open = path === STDIN ? streamSource('stdin', await standardInput()) : await openSource(path);
  if (session.signal.aborted) open.close();
  session.signal.addEventListener('abort', () => open.close());
  return open;
}

async function standardInput(): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/**
 * Shows the source once, or again and again.
 * @param show what to print, a newline at its end
 */
export async function watch(
  open: OpenSource, { wait, count }: WatchFlags, session: Session, show: () => Promise<string>,
): Promise<number> {
  const ms = wait === undefined ? DEFAULT_WAIT_MS : time('-w', wait);
  const once = wait === undefined && count === undefined;
  const views = once ? 1 : count === undefined ? Number.POSITIVE_INFINITY : positive('-c', count);
  try {
    for (let view = 0; view < views; view++) {
      if (view > 0) await sleep(ms, undefined, { signal: session.signal });
      const text = await show().catch((cause) => {
        if (view === 0 || open.gone() === null || session.signal.aborted) throw cause;
        return null;
      });
      if (text === null) {
        process.stderr.write(`${open.gone()}\n`);
        return EXIT_OK;
      }
      process.stdout.write(text);
    }
    return EXIT_OK;
  } finally {
    open.close();
  }
}

/** What the machine is; null: a saved stream does not say. */
export async function factsOf({ kind, source }: OpenSource): Promise<MachineFacts | null> {
  return kind === 'stream' ? null : (JSON.parse(await readText(source, 'machine')) as MachineFacts);
}

/** @throws SmpallocError ESMP_INPUT saying what libmemstat said */
export function checked(result: 0 | -1, list: MemoryTypeList, path: string, what: string, open: OpenSource): void {
  if (result === 0) return;
  const why = open.gone() ?? memstatStrerror(memstatMtlGeterror(list));
  throw new SmpallocError('ESMP_INPUT', `${path}: ${what}: ${why}`);
}
