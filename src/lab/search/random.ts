/** random.ts — at every decision, each entity that may go on is as likely as any other. */
import { SamplingSearch } from './sampling.js';

export class RandomSearch extends SamplingSearch {
  readonly name = 'random';

  protected choose(_last: number, enabled: number): number {
    return this.draws.oneOf(enabled);
  }
}
