/**
 * kasan.ts — "this memory changes hands": who may touch a block from here on (NetBSD, FreeBSD: KASAN).
 *
 *   page free ──► allocator ──► client ──► freed ──► client | page free
 *
 * Only the stepped flavour has somebody who watches, in a file that takes this one's place; natively every call is
 * dead code behind STEPPED. A mark stands where a wrong access begins to be wrong: KASAN_CLIENT last before a block is
 * handed out, KASAN_FREED first after a pointer was judged to be a block.
 */

/** handed out to a caller */
export const KASAN_CLIENT = 1;
/** given back to the allocator by a caller */
export const KASAN_FREED = 2;
/** pages given back to the page allocator */
export const KASAN_PAGE_FREE = 3;
/** pages taken by an allocator */
export const KASAN_ALLOCATOR = 4;

/**
 * @param address first byte
 * @param bytes the whole chunk or whole pages, not what was asked for
 * @param code KASAN_*
 */
export function kasanMark(_address: number, _bytes: number, _code: number): void {}
