/**
 * ktr.layout.ts — a ring of the last N events of each CPU (FreeBSD ktr(4), DragonFly ktr(9)).
 *
 *   entry, 8 words │ time µs │ event │ a │ b │ c │ - │ - │ - │      owner; the reader comes after the panic
 */
import { struct } from '../base/struct.js';

export const KTR_TIME = 0;
export const KTR_EVENT = 1;
export const KTR_A = 2;
export const KTR_B = 3;
export const KTR_C = 4;
export const KTR_WORDS = 8;

export const KTR_ENTRY = /* @__PURE__ */ struct('ktr_entry', KTR_WORDS, ['owner'], {
  KTR_TIME, KTR_EVENT, KTR_A, KTR_B, KTR_C,
});

export const KTR_IPIQ_SEND = 1;
export const KTR_IPIQ_RECEIVE = 2;
export const KTR_MALLOC = 3;
export const KTR_FREE = 4;
export const KTR_FREE_REMOTE = 5;
export const KTR_ZONE_ALLOC = 6;
export const KTR_ZONE_FREE = 7;
export const KTR_SLEEP = 8;
export const KTR_WAKEUP = 9;
export const KTR_USER = 10;
/** an injected failure: who the victim was */
export const KTR_MALLOC_FAIL = 11;

/** How an event is printed; %p %d take a, b, c in order. */
export const KTR_FORMATS: Readonly<Record<number, string>> = {
  [KTR_IPIQ_SEND]: 'ipiq send to cpu%d func %d arg %p',
  [KTR_IPIQ_RECEIVE]: 'ipiq receive from cpu%d func %d arg %p',
  [KTR_MALLOC]: 'malloc %p type %p size %d',
  [KTR_FREE]: 'free %p type %p',
  [KTR_FREE_REMOTE]: 'free remote %p zone %p owner cpu%d',
  [KTR_ZONE_ALLOC]: 'zone alloc %p index %d',
  [KTR_ZONE_FREE]: 'zone free %p',
  [KTR_SLEEP]: 'sleep on %p',
  [KTR_WAKEUP]: 'wakeup %p',
  [KTR_USER]: 'user %d %d %d',
  [KTR_MALLOC_FAIL]: 'malloc made to fail: type %p size %d rate %d',
};
