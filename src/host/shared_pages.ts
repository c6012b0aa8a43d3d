/**
 * shared_pages.ts — shared memory that begins with a page, where threads measure what lines do.
 *
 * A SharedArrayBuffer's own bytes begin 16 behind a line's with glibc; those of WebAssembly begin with a page.
 */
const WASM_PAGE = 65_536;
/** Node's types leave it to the browser's */
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number; maximum: number; shared: true }) => { buffer: SharedArrayBuffer };
};

/** @param bytes at least so many */
export function sharedPages(bytes: number): SharedArrayBuffer {
  const pages = Math.ceil(bytes / WASM_PAGE);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }).buffer;
}
