/**
 * sysctl_server.ts — a live machine answers names over a Unix domain socket (sysctl_wire.ts has the protocol).
 *
 * Answers are made in the host's thread from memory that CPUs go on writing: none of them stops, or sends anything. The
 * server keeps no process alive, and its socket is for its owner alone.
 */
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { SmpallocError } from '../base/errors.js';
import type { Memory } from '../observe/memory.js';
import { SysctlError } from '../observe/memstat/source.js';
import { fitting, observe } from '../observe/sysctl.js';
import { MOST_REQUEST_BYTES, replyBytes, statusOf } from './sysctl_wire.js';

/** bytes of sun_path, without the NUL */
const MOST_PATH_BYTES = process.platform === 'linux' ? 107 : 103;
const OWNER_ONLY = 0o600;

export class SysctlServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * @param path of the socket; one that nobody listens on any more is replaced
   * @throws SmpallocError ESMP_OPTION when there is another file, another machine, or no way to make one
   */
  static async listen(path: string, memory: Memory): Promise<SysctlServer> {
    await makeWay(path);
    const server = createServer();
    const self = new SysctlServer(server);
    server.on('connection', (socket) => self.#serve(socket, memory));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(unusable(path, cause.message)));
      server.listen(path, resolve);
    });
    server.unref();
    await chmod(path, OWNER_ONLY);
    return self;
  }

  /** The socket goes away with it. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #serve(socket: Socket, memory: Memory): void {
    this.#sockets.add(socket);
    let typed = '';
    const pump = () => {
      for (let end = typed.indexOf('\n'); end >= 0; end = typed.indexOf('\n')) {
        const request = typed.slice(0, end);
        typed = typed.slice(end + 1);
        if (socket.write(answer(memory, request))) continue;
        // one that asks and does not read is heard again when it has read
        socket.pause();
        return;
      }
      if (typed.length > MOST_REQUEST_BYTES) socket.destroy();
    };
    socket.unref();
    socket.setEncoding('latin1');
    socket.on('close', () => this.#sockets.delete(socket));
    // a client that went away in the middle is no error of ours
    socket.on('error', () => socket.destroy());
    socket.on('data', (piece: string) => {
      typed += piece;
      pump();
    });
    socket.on('drain', () => {
      socket.resume();
      pump();
    });
  }
}

function answer(memory: Memory, request: string): Buffer {
  const [name = '', room] = request.trim().split(' ');
  try {
    return replyBytes(0, fitting(observe(memory, name), room === undefined ? undefined : Number(room)));
  } catch (cause) {
    const errno = cause instanceof SysctlError ? cause.errno : 'EIO';
    return replyBytes(statusOf(errno), Buffer.from((cause as Error).message));
  }
}

/** Removes a socket that a dead process left behind. */
async function makeWay(path: string): Promise<void> {
  if (path === '' || Buffer.byteLength(path) > MOST_PATH_BYTES) {
    throw unusable(path, `a socket's path has 1 to ${MOST_PATH_BYTES} bytes, this has ${Buffer.byteLength(path)}`);
  }
  const there = await lstat(path).catch(() => null);
  if (!there) return;
  if (!there.isSocket()) throw unusable(path, 'it is a file, and no socket; expected a path that is free');
  if (await answers(path)) throw unusable(path, 'another machine listens there; expected a path that is free');
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (alive: boolean) => {
      socket.destroy();
      resolve(alive);
    };
    socket.once('connect', () => end(true));
    // EAGAIN, EACCES: somebody is there, and busy, or not for us
    socket.once('error', ({ code }: NodeJS.ErrnoException) => end(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}

function unusable(path: string, why: string): SmpallocError {
  return new SmpallocError('ESMP_OPTION', `listen: ${JSON.stringify(path)} is not usable: ${why}`);
}
