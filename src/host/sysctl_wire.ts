/**
 * sysctl_wire.ts — what goes over the socket of a live machine.
 *
 *   request   NAME\n             or   NAME ROOM\n: an answer of more than ROOM bytes is ENOMEM
 *   reply     │ u32 status │ u32 length │ length bytes │   little endian; status 0: the value, else why there is none
 *
 * A connection may ask as often as it likes; replies come in the order of the requests.
 */
import type { SysctlErrno } from '../observe/memstat/source.js';

export const REPLY_HEADER_BYTES = 8;
/** longest request, with its newline */
export const MOST_REQUEST_BYTES = 256;
/** largest value that is believed */
export const MOST_VALUE_BYTES = 1 << 28;

/** Status words: the numbers errno(2) has. */
const STATUS: Readonly<Record<SysctlErrno, number>> = { EPERM: 1, ENOENT: 2, EIO: 5, ENOMEM: 12, EACCES: 13 };

export function statusOf(errno: SysctlErrno): number {
  return STATUS[errno];
}

/** @returns EIO for a status nobody knows */
export function errnoOf(status: number): SysctlErrno {
  const [errno] = Object.entries(STATUS).find(([, number]) => number === status) ?? ['EIO'];
  return errno as SysctlErrno;
}

export function replyBytes(status: number, value: Uint8Array): Buffer {
  const header = Buffer.alloc(REPLY_HEADER_BYTES);
  header.writeUInt32LE(status, 0);
  header.writeUInt32LE(value.length, 4);
  return Buffer.concat([header, value]);
}
