/** types.ts — names of malloc types to small numbers, in order of first appearance. */

const MAX_TYPES = 1 << 16;
const MAX_NAME = 128;

export class TypeTable {
  readonly names: string[] = [];
  readonly #index = new Map<string, number>();

  /** Index of `name` in `names`. Beyond 65535 names the last one, `other`, stands for all the rest. */
  intern(name: string): number {
    const known = this.#index.get(name);
    if (known !== undefined) return known;
    if (this.names.length === MAX_TYPES) return MAX_TYPES - 1;
    if (this.names.length === MAX_TYPES - 1) return this.names.push('other') - 1;
    // a copy: the name may be a slice of a line, which would keep the whole line alive
    const copy = Buffer.from(name.slice(0, MAX_NAME)).toString();
    const index = this.#index.get(copy) ?? this.names.push(copy) - 1;
    this.#index.set(copy, index);
    return index;
  }
}
