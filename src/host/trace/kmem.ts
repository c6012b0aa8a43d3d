/**
 * kmem.ts — Linux kmem tracepoints as text, the part that perf and ftrace share
 *
 * Follows   include/trace/events/kmem.h, 2.6.31 to 6.18. The fields came and went:
 *             2.6.31   call_site ptr bytes_req bytes_alloc gfp_flags; *_node events add node
 *             5.12     kmem_cache_free adds name;  5.x call_site is symbol+0xoff, a bare address before
 *             6.0      accounted;  6.1 the *_node events are gone;  6.18 kmem_cache_alloc has name
 *           so keys are looked up by name, wherever they stand, and only `ptr` must be there.
 *
 * Every quantifier that starts a match is bounded: a hostile line costs its length, not its square.
 */

import { AddressBook } from './addresses.js';
import { MAX_CPU, type Tally } from './tally.js';

/** [cpu], perhaps flags (ftrace), time, perhaps a period (perf -F period); the event's text remains. */
const HEAD = /\[(\d{1,6})\]\s+(?:\S{1,8}\s+)?\d{1,15}(?:\.\d{1,9})?:\s+(?:\d{1,12}\s+)?(\S.*)$/;
/** `perf record` of one process knows no cpu. */
const HEAD_NO_CPU = /(?:^|\s)\d{1,12}\.\d{1,9}:\s+(?:\d{1,12}\s+)?(\S.*)$/;
const EVENT = /^(?:(\w{1,64}):)?(\w{1,64}):(?:\s|$)/;

const PTR = /\bptr=\s*(\S+)/;
const SITE = /\bcall_site=(\S+)/;
const CACHE = /\bname=(\S+)/;
// no \b: `bytes_req=56bytes_alloc=64`, a lost blank, exists in the wild
const REQUESTED = /bytes_req=(-?[\w.]*?)(?:bytes_alloc|\s|$)/;
const ALLOCATED = /bytes_alloc=(-?\d+)/;
/** trace-cmd resolves an address of call_site in front of it: `(symbol+0x7b) call_site=ffffffff81119f4a`. */
const RESOLVED = /^\(([^\s+)]{1,128})/;
const LOST = /\[LOST (\d{1,15}) EVENTS\]|\[(\d{1,15}) EVENTS DROPPED\]|PERF_RECORD_LOST lost (\d{1,15})/;

const BIRTHS = new Set(['kmalloc', 'kmalloc_node', 'kmem_cache_alloc', 'kmem_cache_alloc_node']);
const DEATHS = new Set(['kfree', 'kmem_cache_free']);

/** One event line, taken apart. */
export interface KmemLine {
  cpu: number;
  /** What stands before `[cpu]`: `comm pid` or `comm-pid`. */
  task: string;
  /** From the event's name on. */
  rest: string;
}

/** The event line in `text`, or undefined when it is something else. */
export function kmemLine(text: string): KmemLine | undefined {
  const head = HEAD.exec(text);
  if (head) return { cpu: Number(head[1]), task: text.slice(0, head.index), rest: head[2]! };
  const rest = HEAD_NO_CPU.exec(text)?.[1];
  return rest === undefined ? undefined : { cpu: 0, task: '', rest };
}

/** Does `rest` begin with the name of an event? */
export function isEvent(rest: string): boolean {
  return EVENT.test(rest);
}

export class KmemReader {
  readonly #tally: Tally;
  readonly #book: AddressBook;

  constructor(tally: Tally) {
    this.#tally = tally;
    this.#book = new AddressBook(tally);
    tally.kernel = true;
  }

  /** Takes an event line, or the recorder's word about lost ones. @returns false when it is neither */
  take(text: string): boolean {
    const line = kmemLine(text);
    if (line) this.#event(line.cpu, line.rest);
    else {
      const lost = LOST.exec(text);
      if (!lost) return false;
      this.#tally.dropped.lostEvents += Number(lost[1] ?? lost[2] ?? lost[3]);
    }
    return true;
  }

  #event(cpu: number, rest: string): void {
    const head = EVENT.exec(rest);
    const name = head?.[2] ?? '';
    const birth = BIRTHS.has(name);
    if ((!birth && !DEATHS.has(name)) || (head?.[1] ?? 'kmem') !== 'kmem') {
      this.#tally.dropped.otherEvents++;
      return;
    }
    const fields = rest.slice(head![0].length).trimStart();
    const ptr = PTR.exec(fields)?.[1];
    if (cpu > MAX_CPU) this.#tally.bad(`cpu ${cpu} is over ${MAX_CPU}`);
    else if (ptr === undefined) this.#tally.bad(`${name} without ptr=`, fields);
    else if (birth) this.#birth(cpu, name, ptr, fields);
    else this.#book.death(cpu, ptr);
  }

  #birth(cpu: number, name: string, ptr: string, fields: string): void {
    const size = REQUESTED.exec(fields)?.[1] ?? ALLOCATED.exec(fields)?.[1];
    if (!size) this.#tally.bad(`${name} without bytes_req=`, fields);
    else this.#book.birth(cpu, ptr, Number(size), this.#tally.types.intern(typeName(name, size, fields)));
  }
}

/** Call site of a kmalloc; cache of a kmem_cache_alloc, before 6.18 the site and size that stand for it. */
function typeName(event: string, size: string, fields: string): string {
  const site = (RESOLVED.exec(fields) ?? SITE.exec(fields))?.[1]?.split('+', 1)[0] || 'unknown';
  if (event.startsWith('kmalloc')) return site;
  return CACHE.exec(fields)?.[1] ?? `${site}:${size}`;
}
