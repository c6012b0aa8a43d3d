/**
 * sysctl_source.ts — what a user names as a source of statistics: a live machine's socket, a core dump, a saved stream.
 */
import { open, readFile, stat } from 'node:fs/promises';
import { SmpallocError } from '../base/errors.js';
import { Memory } from '../observe/memory.js';
import { SysctlError, type SysctlSource } from '../observe/memstat/source.js';
import { mallocStreamBytes } from '../observe/malloc_stream.js';
import { STREAM_HEADER_BYTES, STREAM_VERSION } from '../observe/stream.js';
import { fitting, memorySource, observableNames } from '../observe/sysctl.js';
import { umaStreamBytes } from '../observe/uma_stream.js';
import { openCore } from './core.js';
import { SysctlClient } from './sysctl_client.js';

export interface OpenSource {
  readonly kind: 'machine' | 'core' | 'stream';
  readonly source: SysctlSource;
  /** names it answers to */
  readonly names: readonly string[];
  /** of a core dump */
  readonly memory: Memory | null;
  /** why there will be no more answers, null while there are */
  gone(): string | null;
  close(): void;
}

const CORE_MAGIC = 'SMPCORE';

/**
 * @param path of a socket, a core dump, or what `smpalloc sysctl -o` wrote
 * @throws SmpallocError ESMP_INPUT saying what it is not
 */
export async function openSource(path: string): Promise<OpenSource> {
  const about = await stat(path).catch((cause: Error) => {
    throw new SmpallocError('ESMP_INPUT', `${path}: ${cause.message}`, { cause });
  });
  if (about.isSocket()) return machineSource(await SysctlClient.connect(path));
  if (about.isDirectory()) throw foreign(path, 'it is a folder');
  if (await isCore(path)) return coreSource(path);
  return streamSource(path, await readFile(path));
}

function machineSource(client: SysctlClient): OpenSource {
  return {
    kind: 'machine', source: client, names: observableNames(), memory: null,
    gone: () => client.gone, close: () => client.close(),
  };
}

async function isCore(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch((cause: Error) => {
    throw new SmpallocError('ESMP_INPUT', `${path}: ${cause.message}`, { cause });
  });
  try {
    const page = Buffer.alloc(CORE_MAGIC.length);
    await file.read(page, 0, page.length, 0);
    return page.toString('latin1') === CORE_MAGIC;
  } finally {
    await file.close();
  }
}

async function coreSource(path: string): Promise<OpenSource> {
  const core = await openCore(path);
  try {
    const memory = new Memory(core.memory);
    return {
      kind: 'core', source: memorySource(memory), names: observableNames(), memory, gone: () => null, close() {},
    };
  } catch (cause) {
    throw new SmpallocError('ESMP_INPUT', `${path}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Bytes of a stream. Both kinds begin alike; which it is, its length tells.
 * @throws SmpallocError ESMP_INPUT when they are neither
 */
export function streamSource(path: string, bytes: Uint8Array): OpenSource {
  const streams = streamNames(path, bytes);
  const header = new DataView(bytes.buffer, bytes.byteOffset, STREAM_HEADER_BYTES);
  const word = (at: number) => () => new TextEncoder().encode(String(header.getUint32(at, true)));
  const values: Record<string, () => Uint8Array> = { 'kern.smp.maxcpus': word(4) };
  for (const name of streams) {
    values[name] = () => bytes;
    values[name.replace(/stats$/, 'count')] = word(8);
  }
  const source: SysctlSource = {
    read(wanted, room) {
      if (!Object.hasOwn(values, wanted)) throw new SysctlError('ENOENT', `no variable '${wanted}' in a saved stream`);
      return fitting(values[wanted]!(), room);
    },
  };
  return { kind: 'stream', source, names: Object.keys(values), memory: null, gone: () => null, close() {} };
}

/** Which stream it is; one of nothing may be either. */
function streamNames(path: string, bytes: Uint8Array): string[] {
  if (bytes.length < STREAM_HEADER_BYTES) throw foreign(path, `it has ${bytes.length} bytes`);
  const header = new DataView(bytes.buffer, bytes.byteOffset, STREAM_HEADER_BYTES);
  const [version, maxcpus, count] = [0, 4, 8].map((at) => header.getUint32(at, true)) as [number, number, number];
  if (version < 1 || version > 255 || maxcpus < 1 || maxcpus > 1 << 16) {
    throw foreign(path, 'it begins like none of them');
  }
  if (version !== STREAM_VERSION) {
    throw foreign(path, `a statistics stream of version ${version}, maybe; this smpalloc reads ${STREAM_VERSION}`);
  }
  const sizes = {
    'kern.malloc_stats': mallocStreamBytes(count, maxcpus), 'vm.zone_stats': umaStreamBytes(count, maxcpus),
  };
  const names = Object.entries(sizes).filter(([, size]) => size === bytes.length).map(([name]) => name);
  if (names.length > 0) return names;
  const expected = Object.entries(sizes).map(([one, size]) => `${size} of ${one}`).join(' or ');
  throw foreign(path, `truncated or damaged: ${bytes.length} bytes, expected ${expected}`);
}

function foreign(path: string, why: string): SmpallocError {
  const right = "expected a live machine's socket, a core dump, or a stream that smpalloc sysctl -o wrote";
  return new SmpallocError('ESMP_INPUT', `${path}: ${right}; ${why}`);
}
