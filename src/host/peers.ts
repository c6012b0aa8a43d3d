/**
 * peers.ts — the same loops in C: builds peers.c, finds the allocators of this machine, runs one of them
 *
 *   findPeers() ─► for each round, for each peer: runPeer(peer, …)        absentPeers() ─► named, skipped
 *                        │
 *                        └─► buildPeers(): cc, once per source, into the temporary folder
 *
 * Rules
 *   I1  one call of runPeer is one process; the caller orders peers and rounds, and interleaves them.
 *   I2  a figure is returned only if the allocator asked for did serve malloc: ld.so merely warns about an
 *       LD_PRELOAD it cannot do, and goes on with glibc.
 *   I3  the child sees no variable of ours: MALLOC_ARENA_MAX, MALLOC_CONF, MIMALLOC_* … would tune one peer.
 *
 * See       bench/peers/README.md for the loops and their parameters
 */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, realpathSync } from 'node:fs';
import { lstat, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Peer {
  name: string;
  /** The library to preload; null: the C library's own malloc. */
  preload: string | null;
}

export type PeerWorkload = 'pair' | 'local' | 'larson' | 'xmalloc' | 'ring';

export interface PeerOptions {
  /** Default 1; xmalloc needs an even number. */
  threads?: number;
  /** Per thread: pairs, steps, generations (larson), batches of a producer (xmalloc), blocks (ring). */
  ops?: number;
  /** Timed passes, after one that is not timed. Default 5. */
  rounds?: number;
  seed?: number;
  /** Default 120,000. */
  timeoutMs?: number;
}

export interface PeerResult {
  name: string;
  workload: PeerWorkload;
  /** One figure per timed pass: wall time over the operations of one thread. */
  nsPerOp: number[];
}

/** There is no harness to run: no compiler, one that fails, or no peers.c (it is not in the package). */
export class PeersUnavailable extends Error {
  readonly code = 'EPEERS_CC';
  override readonly name = 'PeersUnavailable';
}

/** The harness was built, and this run of it gave no figures. */
export class PeerFailed extends Error {
  readonly code = 'EPEERS_RUN';
  override readonly name = 'PeerFailed';
}

const LIBRARIES = [
  { name: 'mimalloc', stem: 'libmimalloc.so' },
  { name: 'jemalloc', stem: 'libjemalloc.so' },
  { name: 'tcmalloc', stem: 'libtcmalloc_minimal.so' },
];

const TRIPLETS: Partial<Record<NodeJS.Architecture, string>> = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  arm: 'arm-linux-gnueabihf',
  riscv64: 'riscv64-linux-gnu',
};

// -O2 and no -march, as distributions build their allocators. The reason of -fno-builtin is in peers.c.
const CC = 'cc';
const CFLAGS = ['-std=gnu11', '-O2', '-pthread', '-fno-builtin-malloc', '-fno-builtin-free'];
const LIBS = ['-ldl'];

const BUILD_TIMEOUT_MS = 60_000;
const RUN_TIMEOUT_MS = 120_000;

// ---- which allocators are here

/** glibc first, then those that are installed. */
export function findPeers(): Peer[] {
  const files = libraryFiles();
  const peers: Peer[] = [{ name: 'glibc', preload: null }];
  for (const { name, stem } of LIBRARIES) {
    const preload = files.find((file) => isVersionOf(basename(file), stem) && isOurElf(file));
    if (preload !== undefined) peers.push({ name, preload });
  }
  return peers;
}

/** Names of the allocators that findPeers looked for and did not find. */
export function absentPeers(): string[] {
  const found = new Set(findPeers().map((peer) => peer.name));
  return LIBRARIES.map(({ name }) => name).filter((name) => !found.has(name));
}

/** libjemalloc.so and libjemalloc.so.2, and not libjemalloc.so.2-gdb.py. */
function isVersionOf(file: string, stem: string): boolean {
  return file.startsWith(stem) && /^(\.\d+)*$/.test(file.slice(stem.length));
}

function libraryFiles(): string[] {
  const files: string[] = [];
  // /sbin is not on every user's PATH.
  for (const ldconfig of ['/sbin/ldconfig', '/usr/sbin/ldconfig', 'ldconfig']) {
    try {
      const cache = execFileSync(ldconfig, ['-p'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      for (const line of cache.split('\n')) {
        const arrow = line.indexOf(' => ');
        if (arrow >= 0) files.push(line.slice(arrow + 4).trim());
      }
      break;
    } catch {
      // Not there, or without -p (musl): the folders below remain.
    }
  }
  const triplet = TRIPLETS[process.arch];
  const folders = ['/usr/local/lib', '/usr/local/lib64', '/usr/lib64', '/usr/lib', '/lib64', '/lib'];
  if (triplet !== undefined)
    folders.unshift(`/usr/local/lib/${triplet}`, `/usr/lib/${triplet}`, `/lib/${triplet}`);
  for (const folder of folders) {
    if (!existsSync(folder)) continue;
    for (const file of readdirSync(folder).sort()) files.push(join(folder, file));
  }
  return files;
}

/** Same word size and machine as this node: multi-arch systems list libraries that cannot be preloaded. */
function isOurElf(file: string): boolean {
  const kind = elfKind(file);
  return kind !== undefined && kind === elfKind(process.execPath);
}

function elfKind(file: string): string | undefined {
  const head = Buffer.alloc(20);
  try {
    const fd = openSync(file, 'r');
    try {
      if (readSync(fd, head, 0, head.length, 0) < head.length) return undefined;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined; // a dangling link
  }
  if (head.toString('latin1', 0, 4) !== '\x7fELF') return undefined;
  return `${head[4]}:${head.toString('hex', 18, 20)}`;
}

// ---- building

let building: Promise<string> | undefined;

/** Path of the compiled harness; compiles only when this source has not been compiled here before. */
export function buildPeers(): Promise<string> {
  building ??= build().catch((error: unknown) => {
    building = undefined; // a compiler may be installed before the next call
    throw error;
  });
  return building;
}

async function build(): Promise<string> {
  const source = peersSource();
  const hash = createHash('sha256')
    .update(await readFile(source))
    .update([CC, ...CFLAGS, ...LIBS].join(' '));
  const uid = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `smpalloc-peers-${uid}-${hash.digest('hex').slice(0, 16)}`);
  const binary = join(folder, 'peers');

  await mkdir(folder, { recursive: true, mode: 0o700 });
  // The temporary folder is everybody's and the name can be foretold: run nothing another user could write.
  const stat = await lstat(folder);
  if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o022) !== 0) {
    throw new PeersUnavailable(`${folder} is not a folder that only this user can write: remove it`);
  }
  if (existsSync(binary)) return binary;

  // Compile beside it and rename: a second process that builds at the same time never sees half a file.
  const half = `${binary}.${process.pid}`;
  try {
    await compile(source, half);
    await rename(half, binary);
  } finally {
    await rm(half, { force: true });
  }
  return binary;
}

function compile(source: string, output: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const args = [...CFLAGS, '-o', output, source, ...LIBS];
    execFile(CC, args, { timeout: BUILD_TIMEOUT_MS, killSignal: 'SIGKILL' }, (error, _stdout, stderr) => {
      if (error === null) return resolve();
      const why =
        error.code === 'ENOENT'
          ? `there is no C compiler: '${CC}' is not on PATH`
          : `'${CC} ${args.join(' ')}' failed: ${stderr.trim() || error.message}`;
      reject(new PeersUnavailable(`the C peers are skipped: ${why}`, { cause: error }));
    });
  });
}

/** Works from TypeScript under vitest and from a bundle in dist/: both lie below the project root. */
function peersSource(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (isProjectRoot(folder)) {
      const source = join(folder, 'bench', 'peers', 'peers.c');
      if (existsSync(source)) return source;
      throw new PeersUnavailable(`the C peers are skipped: ${source} is missing`);
    }
    if (folder === dirname(folder)) {
      throw new PeersUnavailable(
        `the C peers are skipped: no package.json of smpalloc above ${import.meta.url}`,
      );
    }
  }
}

function isProjectRoot(folder: string): boolean {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return (
      typeof manifest === 'object' && manifest !== null && 'name' in manifest && manifest.name === 'smpalloc'
    );
  } catch {
    return false;
  }
}

// ---- running

/** One process of the harness under one allocator. */
export async function runPeer(
  peer: Peer,
  workload: PeerWorkload,
  options: PeerOptions = {},
): Promise<PeerResult> {
  const binary = await buildPeers();
  const { threads = 1, ops, rounds = 5, seed = 1, timeoutMs = RUN_TIMEOUT_MS } = options;
  const args = [workload, '--threads', String(threads), '--rounds', String(rounds), '--seed', String(seed)];
  if (ops !== undefined) args.push(String(ops));
  const what = `${peer.name} ${workload}`;

  const env = peer.preload === null ? {} : { LD_PRELOAD: peer.preload };
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile(binary, args, { env, timeout: timeoutMs, killSignal: 'SIGKILL' }, (error, out, err) => {
      if (error === null) return resolve(out);
      let why = err.trim() || error.message;
      if (error.signal) why = error.killed ? `not finished after ${timeoutMs} ms` : `died of ${error.signal}`;
      reject(new PeerFailed(`${what}: ${why}`, { cause: error }));
    });
  });

  const line = parseLine(stdout);
  if (line === undefined || line.rounds.length !== rounds) {
    throw new PeerFailed(`${what}: not a result line: ${stdout.trim()}`);
  }
  if (!servedBy(peer, line.malloc)) {
    throw new PeerFailed(
      `${what}: malloc came from ${line.malloc || 'an unknown object'}, not from ${peer.name}`,
    );
  }
  return { name: peer.name, workload, nsPerOp: line.rounds };
}

interface ResultLine {
  rounds: number[];
  malloc: string;
}

function parseLine(stdout: string): ResultLine | undefined {
  let line: unknown;
  try {
    line = JSON.parse(stdout);
  } catch {
    return undefined;
  }
  if (typeof line !== 'object' || line === null || !('rounds' in line) || !('malloc' in line))
    return undefined;
  const { rounds, malloc } = line;
  if (typeof malloc !== 'string' || !Array.isArray(rounds)) return undefined;
  const figures = rounds.filter((ns: unknown): ns is number => typeof ns === 'number' && ns > 0);
  return figures.length === rounds.length ? { rounds: figures, malloc } : undefined;
}

/** I2. A preload is one file under several names; glibc is libc.so.6, or libc-2.31.so when it is older. */
function servedBy(peer: Peer, object: string): boolean {
  if (peer.preload === null) return /^libc(\.so\.6|-2\.\d+\.so)/.test(basename(object));
  try {
    return realpathSync(object) === realpathSync(peer.preload);
  } catch {
    return false;
  }
}
