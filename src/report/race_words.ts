/** race_words.ts — an access in words: `cas z_RChunks 0 => 0x40400 ok`. */
import { KASAN_ALLOCATOR, KASAN_CLIENT, KASAN_FREED, KASAN_PAGE_FREE } from '../hw/kasan.js';
import type { Step } from '../lab/result.js';
import { valueText } from '../observe/spelling.js';

const MARKS: Readonly<Record<number, string>> = {
  [KASAN_CLIENT]: 'is handed out', [KASAN_FREED]: 'is given back', [KASAN_PAGE_FREE]: 'pages go back',
  [KASAN_ALLOCATOR]: 'pages are the allocator\'s',
};

/**
 * Places, in full where they come first and by their field alone after that. Only a field that no other place of the
 * trace has is said alone, so that a reader never has to guess whose it is.
 */
export class Places {
  readonly #owners = new Map<string, Set<string>>();
  readonly #said = new Set<string>();

  constructor(steps: readonly Pick<Step, 'place'>[]) {
    for (const { place } of steps) {
      const [, field] = split(place);
      if (!this.#owners.has(field)) this.#owners.set(field, new Set());
      this.#owners.get(field)!.add(place);
    }
  }

  say(place: string): string {
    const [title, field] = split(place);
    if (title !== '' && this.#said.has(place) && this.#owners.get(field)!.size === 1) return field;
    this.#said.add(place);
    return place;
  }
}

/** 'zone 0x40000.z_RChunks' -> ['zone 0x40000', 'z_RChunks']; the link of a chunk is said with its chunk */
function split(place: string): [title: string, field: string] {
  const chunk = /^(chunk 0x[\da-f]+) of zone \S+?(?=[. ]|$)(.*)$/.exec(place);
  if (chunk) return ['zone', `${chunk[1]}${chunk[2]}`];
  const dot = place.indexOf('.');
  return dot < 0 ? ['', place] : [place.slice(0, dot), place.slice(dot + 1)];
}

const LOADS = new Set(['ld', 'racy', 'ld8', 'ld64', 'racy64', 'load']);
const STORES = new Set(['st', 'st8', 'st64', 'store', 'xchg', 'or', 'and', 'drain']);

/** @param places what has been said so far */
export function stepText(step: Step, places: Places): string {
  const { kind } = step;
  const place = () => places.say(step.place);
  const value = (number: number) => valueText(step.place, number);
  const was = () => `(was ${value(step.old)})`;
  if (LOADS.has(kind)) return `${kind} ${place()} -> ${value(step.result)}`;
  if (STORES.has(kind)) return `${kind} ${place()} := ${value(step.now)} ${was()}`;
  if (kind === 'add') return `add ${place()} += ${(step.now - step.old) | 0} ${was()}`;
  if (kind === 'cas' && step.result !== 0) return `cas ${place()} ${value(step.old)} => ${value(step.now)} ok`;
  if (kind === 'cas') return `cas ${place()} failed (is ${value(step.old)})`;
  if (kind === 'wait') return `wait ${place()} ${step.result === 0 ? `is ${value(step.now)} already` : 'sleeps'}`;
  if (kind === 'wake') return `wake ${place()} goes on`;
  if (kind === 'mark') return `${place()} ${MARKS[step.now] ?? 'changes hands'}`;
  if (kind === 'move') return `moves to cpu${step.now}`;
  return PLAIN_WORDS[kind] ?? `${kind} ${place()}`;
}

/** accesses to what is no memory */
const PLAIN_WORDS: Readonly<Record<string, string>> = {
  pause: 'pause', mask: 'masks interrupts', unmask: 'unmasks interrupts', look: 'looks whether interrupts are masked',
};
