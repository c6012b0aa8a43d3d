/** kasan.ts — hw/kasan.ts for stepped CPUs: whose memory it is is kept, and checked at every access. */
export { KASAN_ALLOCATOR, KASAN_CLIENT, KASAN_FREED, KASAN_PAGE_FREE } from '../kasan.js';
export { mark as kasanMark } from './access.js';
