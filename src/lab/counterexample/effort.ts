/** effort.ts — what a shrinker may spend, and what it has to keep. */
import type { Failure } from '../../hw/stepped/failure.js';

/** How much work is left: counted, so that the same failure shrinks to the same, and timed. */
export class Effort {
  replays = 0;
  readonly #end: number;

  constructor(limit: number) {
    this.#end = performance.now() + limit;
  }

  get over(): boolean {
    return this.left <= 0;
  }

  get left(): number {
    return this.#end - performance.now();
  }
}

/** The same class; of panics and exceptions, also the same text but for numbers. */
export function sameFailure(a: Failure, b: Failure | null): boolean {
  if (b === null || a.cls !== b.cls) return false;
  return (a.cls !== 'panic' && a.cls !== 'exception') || textOf(a) === textOf(b);
}

const textOf = ({ message }: Failure): string => message.replace(/0x[\da-f]+|\d+/gi, '#');
