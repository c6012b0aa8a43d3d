/** sysctl_client.ts — asks a live machine of another process for values, over its socket (sysctl_wire.ts). */
import { connect, type Socket } from 'node:net';
import { SmpallocError } from '../base/errors.js';
import { SysctlError, type SysctlSource } from '../observe/memstat/source.js';
import { errnoOf, MOST_VALUE_BYTES, REPLY_HEADER_BYTES } from './sysctl_wire.js';

/** longest wait for an answer: a host that is busy for so long is as good as gone */
const ANSWER_MS = 10_000;
const STOPPED = 'the machine has stopped';

interface Pending {
  resolve(value: Uint8Array): void;
  reject(error: SysctlError): void;
}

export class SysctlClient implements SysctlSource {
  readonly #socket: Socket;
  readonly #pending: Pending[] = [];
  #pieces: Buffer[] = [];
  #bytes = 0;
  #gone: string | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (piece) => this.#receive(piece));
    socket.on('close', () => this.#end(STOPPED));
    socket.on('error', ({ code, message }: NodeJS.ErrnoException) =>
      this.#end(code === 'EPIPE' || code === 'ECONNRESET' ? STOPPED : message));
    socket.setTimeout(ANSWER_MS, () => {
      if (this.#pending.length > 0) this.#end(`no answer within ${ANSWER_MS / 1000} s`);
    });
  }

  /** @throws SmpallocError ESMP_INPUT when nobody answers there */
  static connect(path: string): Promise<SysctlClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('connect', () => {
        socket.removeAllListeners('error');
        resolve(new SysctlClient(socket));
      });
      socket.once('error', (cause: NodeJS.ErrnoException) => {
        const why = cause.code === 'ECONNREFUSED' ? 'no machine listens there any more' : cause.message;
        reject(new SmpallocError('ESMP_INPUT', `${path}: ${why}`, { cause }));
      });
    });
  }

  /** Why there will be no more answers, null while there are. */
  get gone(): string | null {
    return this.#gone;
  }

  read(name: string, room?: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== null) return reject(new SysctlError('EIO', this.#gone));
      if (/[\s\0]/.test(name) || name === '') return reject(new SysctlError('ENOENT', `no variable '${name}'`));
      this.#pending.push({ resolve, reject });
      this.#socket.write(room === undefined ? `${name}\n` : `${name} ${room}\n`);
    });
  }

  close(): void {
    this.#end('closed');
  }

  #receive(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    while (this.#bytes >= REPLY_HEADER_BYTES) {
      const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
      this.#pieces = [all];
      const length = all.readUInt32LE(4);
      if (length > MOST_VALUE_BYTES) return this.#end(`an answer of ${length} bytes: this is no machine`);
      const end = REPLY_HEADER_BYTES + length;
      if (all.length < end) return;
      this.#pieces = [all.subarray(end)];
      this.#bytes = all.length - end;
      this.#settle(all.readUInt32LE(0), Uint8Array.from(all.subarray(REPLY_HEADER_BYTES, end)));
    }
  }

  #settle(status: number, value: Uint8Array): void {
    const pending = this.#pending.shift();
    if (!pending) return this.#end('an answer nobody asked for: this is no machine');
    if (status === 0) pending.resolve(value);
    else pending.reject(new SysctlError(errnoOf(status), new TextDecoder().decode(value)));
  }

  #end(why: string): void {
    this.#gone ??= why;
    this.#socket.destroy();
    for (const { reject } of this.#pending.splice(0)) reject(new SysctlError('EIO', this.#gone));
  }
}
