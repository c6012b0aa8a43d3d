/**
 * live.ts — the objects alive at this point of a trace: 64-bit key to id
 *
 * Open addressing, linear probing, no tombstones: a removal closes the gap behind it, so the table's size
 * follows the live set and not the length of the trace. Never more than half full. 16 bytes a slot.
 *
 * Rules
 *   I1  an id is positive; 0 marks an empty slot.
 *   I2  every slot between a key's home and the key is taken.
 *
 * The hash is seeded, so that a trace cannot be written to make every key collide.
 */

/** More live objects than a replay could hold; the table takes 256 MiB by then. */
export const MAX_LIVE = 1 << 23;

const FIRST_SLOTS = 1 << 12;

export class LiveTable {
  /** Live objects. */
  size = 0;
  readonly #seed = Math.floor(Math.random() * 2 ** 32) | 0;
  #mask = FIRST_SLOTS - 1;
  #hi = new Int32Array(FIRST_SLOTS);
  #lo = new Int32Array(FIRST_SLOTS);
  #id = new Float64Array(FIRST_SLOTS);

  /** Id of the object with this key; 0 when it is not alive. */
  find(hi: number, lo: number): number {
    return this.#id[this.#slot(hi, lo)]!;
  }

  /** The key must not be alive. @returns false when the table is at MAX_LIVE and nothing was added */
  add(hi: number, lo: number, id: number): boolean {
    if (this.size === MAX_LIVE) return false;
    if (this.size * 2 > this.#mask) this.#grow();
    this.#put(hi, lo, id);
    this.size++;
    return true;
  }

  /** @returns the id removed; 0 when the key was not alive */
  remove(hi: number, lo: number): number {
    let hole = this.#slot(hi, lo);
    const id = this.#id[hole]!;
    if (id === 0) return 0;
    this.size--;
    for (let i = (hole + 1) & this.#mask; this.#id[i] !== 0; i = (i + 1) & this.#mask) {
      // an entry may move into the hole only if its home is not between the two (I2)
      const home = this.#home(this.#hi[i]!, this.#lo[i]!);
      if (((i - home) & this.#mask) < ((i - hole) & this.#mask)) continue;
      this.#hi[hole] = this.#hi[i]!;
      this.#lo[hole] = this.#lo[i]!;
      this.#id[hole] = this.#id[i]!;
      hole = i;
    }
    this.#id[hole] = 0;
    return id;
  }

  #home(hi: number, lo: number): number {
    let h = Math.imul(lo ^ this.#seed, 0x9e3779b1) ^ Math.imul(hi - this.#seed, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35);
    return (h ^ (h >>> 13)) & this.#mask;
  }

  /** Where the key is, else the empty slot where it would go. */
  #slot(hi: number, lo: number): number {
    let i = this.#home(hi, lo);
    while (this.#id[i] !== 0 && (this.#lo[i] !== lo || this.#hi[i] !== hi)) i = (i + 1) & this.#mask;
    return i;
  }

  #put(hi: number, lo: number, id: number): void {
    const i = this.#slot(hi, lo);
    this.#hi[i] = hi;
    this.#lo[i] = lo;
    this.#id[i] = id;
  }

  #grow(): void {
    const hi = this.#hi;
    const lo = this.#lo;
    const id = this.#id;
    const slots = id.length * 2;
    this.#mask = slots - 1;
    this.#hi = new Int32Array(slots);
    this.#lo = new Int32Array(slots);
    this.#id = new Float64Array(slots);
    for (let i = 0; i < id.length; i++) if (id[i] !== 0) this.#put(hi[i]!, lo[i]!, id[i]!);
  }
}
