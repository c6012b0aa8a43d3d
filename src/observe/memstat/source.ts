/**
 * source.ts — whoever answers sysctl names with bytes: a machine in this process, one behind a socket, files.
 *
 * As sysctl(3) does, a source is told how much room there is, and refuses a value that does not fit.
 */

export type SysctlErrno = 'ENOENT' | 'ENOMEM' | 'EPERM' | 'EACCES' | 'EIO';

export class SysctlError extends Error {
  override readonly name = 'SysctlError';
  readonly errno: SysctlErrno;

  constructor(errno: SysctlErrno, message: string) {
    super(message);
    this.errno = errno;
  }
}

export interface SysctlSource {
  /**
   * @param room bytes there is room for; default: as many as it takes
   * @throws SysctlError ENOENT: no such name; ENOMEM: no room; EPERM, EACCES: not for you; EIO: the answer was lost
   */
  read(name: string, room?: number): Uint8Array | Promise<Uint8Array>;
}

/** A value that is text, such as a count. */
export async function readText(source: SysctlSource, name: string): Promise<string> {
  return new TextDecoder().decode(await source.read(name));
}
