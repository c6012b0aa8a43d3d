/** zone_map.ts — how full each zone is, over virtual time. */
import { Z_CHUNKSIZE, Z_CPU, Z_NFREE, Z_NMAX } from '../../dragonfly/slaballoc.layout.js';
import type { Memory } from '../../observe/memory.js';
import { walkPages } from '../../observe/walk_slab.js';
import type { ModelledMachine } from './machine.js';
import type { ZoneMap } from './row.js';

/** times kept; when there are more, every second one is dropped and the distance doubled */
const MOST_TIMES = 64;
const FIRST_DISTANCE_NS = 1000;
/** zones shown: those that were in use longest */
const MOST_ZONES = 200;

type Hooks = ModelledMachine['engine']['run']['hooks'];

interface Track {
  readonly zone: string;
  readonly cpu: number;
  readonly chunk: number;
  /** by number of the sample, absent where the zone was not in service */
  readonly used: Map<number, number>;
}

export class ZoneSampler {
  readonly #memory: Memory;
  readonly #tracks = new Map<string, Track>();
  #times: number[] = [];
  #distance = FIRST_DISTANCE_NS;

  constructor(memory: Memory, hooks: Hooks) {
    this.#memory = memory;
    hooks.sampleAt = 0;
    hooks.sample = (ns) => {
      this.#take(ns);
      hooks.sampleAt = ns + this.#distance;
    };
  }

  #take(ns: number): void {
    if (this.#times.length === MOST_TIMES) this.#thin();
    const sample = this.#times.push(ns) - 1;
    const { i32 } = this.#memory;
    for (const z of walkPages(this.#memory).zones) {
      const zw = z >>> 2;
      const [cpu, chunk] = [i32[zw + Z_CPU]!, i32[(zw + Z_CHUNKSIZE)]!];
      const key = `${z}/${cpu}/${chunk}`;
      let track = this.#tracks.get(key);
      if (!track) {
        track = { zone: `0x${z.toString(16)}`, cpu, chunk, used: new Map() };
        this.#tracks.set(key, track);
      }
      const free = i32[zw + Z_NFREE]!;
      const all = Math.max(1, i32[zw + Z_NMAX]!);
      track.used.set(sample, Math.round((100 * (all - free)) / all));
    }
  }

  #thin(): void {
    this.#distance *= 2;
    this.#times = this.#times.filter((_, n) => n % 2 === 0);
    for (const track of this.#tracks.values()) {
      const kept = [...track.used].filter(([n]) => n % 2 === 0);
      track.used.clear();
      for (const [n, used] of kept) track.used.set(n / 2, used);
    }
  }

  map(): ZoneMap {
    const longest = [...this.#tracks.values()].sort((a, b) => b.used.size - a.used.size).slice(0, MOST_ZONES);
    const zones = longest
      .sort((a, b) => a.chunk - b.chunk || a.cpu - b.cpu)
      .map(({ zone, cpu, chunk, used }) => ({
        zone, cpu, chunk, used: this.#times.map((_, n) => used.get(n) ?? 0),
      }));
    return { ns: [...this.#times], zones };
  }
}
