/**
 * uma.test.ts — any program of zones made, limited, used from several CPUs, drained and destroyed, beside malloc(9),
 * against a naive model: a zone is a set of items, and its functions are counted.
 *
 * Every item is filled with a number of its own, which is verified before it goes; M_ZERO is believed only after a
 * look. After each program everything is given back and the machine audited; one machine serves many programs, since
 * what one leaves behind is what the next must live with. A failure prints its seed and path: fc.assert({ seed, path })
 * replays it.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as U from '../../src/freebsd/uma.js';
import * as L from '../../src/freebsd/uma_int.layout.js';
import { type Freebsd, freebsd, NOWAIT, ZERO } from '../helpers/freebsd.js';

const CPUS = 3;
const SLOTS = 6;

/** How a zone is made. */
const recipe = fc.record({
  size: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 600 }) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 5000 }) },
    { weight: 1, arbitrary: fc.constantFrom(1024, 2048, 4060, 4064, 4096, 4097, 9000) },
  ),
  align: fc.constantFrom(0, 3, 3, 7, 63),
  flags: fc.constantFrom(0, 0, 0, U.UMA_ZONE_REFCNT, U.UMA_ZONE_MAXBUCKET, U.UMA_ZONE_VM, U.UMA_ZONE_ZINIT),
  /** does it have functions, and does each refuse every so many calls? 0: never */
  hooks: fc.boolean(),
  refuse: fc.record({
    ctor: fc.constantFrom(0, 0, 0, 7), init: fc.constantFrom(0, 0, 0, 50), keg: fc.constantFrom(0, 0, 0, 90),
  }),
});
type Recipe = typeof recipe extends fc.Arbitrary<infer T> ? T : never;

const cpu = fc.nat(CPUS - 1);
const slot = fc.nat(SLOTS - 1);
const op = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant('create' as const), cpu, slot, recipe, second: fc.boolean() }) },
  {
    weight: 10,
    arbitrary: fc.record({
      op: fc.constant('alloc' as const), cpu, slot, n: fc.integer({ min: 1, max: 90 }), zero: fc.boolean(),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      op: fc.constant('free' as const), cpu, slot, n: fc.integer({ min: 1, max: 120 }), from: fc.nat(99),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('limit' as const), cpu, slot, n: fc.nat(150) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('prealloc' as const), cpu, slot, n: fc.nat(60) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('destroy' as const), cpu, slot }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('malloc' as const), cpu, slot, n: fc.nat(9000) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('mfree' as const), cpu, slot, n: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('realloc' as const), cpu, slot, n: fc.nat(9000) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constantFrom('soft' as const, 'hard' as const, 'timeout' as const, 'offline' as const), cpu, slot,
    }),
  },
);
type Op = typeof op extends fc.Arbitrary<infer T> ? T : never;

/** Calls of a zone's functions. */
interface Calls {
  ctor: number;
  dtor: number;
  init: number;
  fini: number;
  refused: number;
}

interface Zone {
  readonly address: number;
  readonly recipe: Recipe;
  /** calls on the zone's items, and on the keg's, which two zones may share */
  readonly zone: Calls;
  readonly keg: Calls;
  /** zones on the keg, and the number of its functions */
  readonly users: { count: number; readonly number: number };
  /** item -> what it is filled with */
  readonly items: Map<number, number>;
}

const none = (): Calls => ({ ctor: 0, dtor: 0, init: 0, fini: 0, refused: 0 });
const refuses = (every: number, call: number): boolean => every !== 0 && call % every === 0;

class Model {
  readonly m: Freebsd;
  readonly type: number;
  readonly zones: (Zone | undefined)[] = [];
  readonly blocks = new Map<number, [size: number, id: number]>();
  #ids = 1;

  constructor(m: Freebsd) {
    this.m = m;
    this.type = m.mallocTypeCreate('prop');
  }

  run(ops: readonly Op[]): void {
    for (const step of ops) {
      this.m.as(step.cpu);
      this.#step(step);
    }
  }

  /** Everything goes back, and every call had its counterpart. */
  end(): void {
    const { m } = this;
    for (let slot = 0; slot < SLOTS; slot++) this.#destroy(slot);
    for (const [block, [size, id]] of this.blocks) this.#freeBlock(block, size, id);
    m.reclaim();
    expect(m.messages()).toEqual([]);
    expect(m.quiesceAndAudit(1)).toMatchObject({ violations: [], blocks: 0 });
  }

  #step(step: Op): void {
    const { m } = this;
    const zone = this.zones[step.slot];
    if (step.op === 'create') {
      this.#create(step.slot, step.recipe, step.second ? this.zones[(step.slot + 1) % SLOTS] : undefined);
    } else if (step.op === 'alloc') this.#alloc(zone, step.n, step.zero ? NOWAIT | ZERO : NOWAIT);
    else if (step.op === 'free') this.#free(zone, step.n, step.from);
    else if (step.op === 'limit') this.#limit(zone, step.n);
    else if (step.op === 'prealloc') { if (zone && this.#roomy()) m.f.umaPrealloc(zone.address, step.n); }
    else if (step.op === 'destroy') this.#destroy(step.slot);
    else if (step.op === 'malloc') this.#malloc(step.n);
    else if (step.op === 'mfree') this.#pick(step.n, (block, size, id) => this.#freeBlock(block, size, id));
    else if (step.op === 'realloc') this.#pick(step.n, (block, size, id) => this.#realloc(block, size, id, step.n));
    else if (step.op === 'timeout') { if (zone) m.f.zoneTimeout(zone.address); }
    else if (step.op === 'offline') m.f.umaOffline();
    else m.f.umaReclaim(step.op === 'hard');
    const now = this.zones[step.slot];
    if (now) this.#check(now);
  }

  #create(slot: number, recipe: Recipe, master: Zone | undefined): void {
    if (this.zones[slot] || !this.#roomy()) return;
    const { m } = this;
    const zone = none();
    const z = U.UMAF_USER + slot;
    const users = master ? master.users : { count: 0, number: this.#kegNumber() };
    const k = users.number;
    const made = master ? { ...recipe, size: master.recipe.size, align: master.recipe.align } : recipe;
    const keg = master ? master.keg : none();
    m.f.umaFuncRegister(z, {
      ctor: () => this.#call(zone, 'ctor', made.refuse.ctor),
      dtor: () => void zone.dtor++,
      init: () => this.#call(zone, 'init', made.refuse.init),
      fini: () => void zone.fini++,
    });
    const kegInit = () => this.#call(keg, 'init', made.refuse.keg);
    if (!master) m.f.umaFuncRegister(k, { init: kegInit, fini: () => void keg.fini++ });
    const functions = made.hooks ? { ctor: z, dtor: z } : {};
    const own = made.hooks ? { init: z, fini: z } : {};
    const address = master
      ? m.f.umaZsecondCreate({ name: `s${slot}`, ...functions, ...own }, master.address)
      : m.f.umaZcreate({
          name: `z${slot}`, size: made.size, align: made.align, flags: made.flags, ...functions,
          // UMA_ZONE_ZINIT has an initialiser of its own
          ...(made.hooks && made.flags !== U.UMA_ZONE_ZINIT ? { init: k, fini: k } : {}),
        });
    users.count++;
    this.zones[slot] = { address, recipe: made, zone, keg, users, items: new Map() };
  }

  /** A keg may outlive the zone it was made with, and its functions with it. */
  #kegNumber(): number {
    const taken = this.zones.map((zone) => zone?.users.number);
    for (let number = U.UMAF_USER + SLOTS; ; number++) if (!taken.includes(number)) return number;
  }

  /** What is made with M_WAITOK would rather panic than fail. */
  #roomy(): boolean {
    const { m } = this;
    const left = (m.i32[m.f.UMA + L.KMEM_SIZE]! >>> 12) - m.i32[m.f.UMA + L.KMEM_PAGES]!;
    return Math.min(left, m.page.vmFreeCount()) > 220;
  }

  #call(calls: Calls, what: 'ctor' | 'init', every: number): number {
    const refused = refuses(every, calls[what] + calls.refused + 1);
    calls[refused ? 'refused' : what]++;
    return refused ? 1 : 0;
  }

  #alloc(zone: Zone | undefined, n: number, flags: number): void {
    if (!zone) return;
    const { m } = this;
    const { size, align } = zone.recipe;
    for (let k = 0; k < n; k++) {
      const item = m.f.umaZallocArg(zone.address, 0, flags);
      if (item === 0) continue;
      expect(item & (size > 4000 ? 3 : align | 3)).toBe(0);
      expect(zone.items.has(item)).toBe(false);
      if ((flags & ZERO) !== 0) this.#verify(item, size, 0);
      zone.items.set(item, this.#fill(item, size));
    }
  }

  #free(zone: Zone | undefined, n: number, from: number): void {
    if (!zone) return;
    const items = [...zone.items];
    const first = Math.floor((items.length * from) / 100);
    for (const [item, id] of items.slice(first, first + n)) this.#freeItem(zone, item, id);
  }

  #freeItem(zone: Zone, item: number, id: number): void {
    this.#verify(item, zone.recipe.size, id);
    this.m.f.umaZfreeArg(zone.address, item, 0);
    zone.items.delete(item);
  }

  #limit(zone: Zone | undefined, n: number): void {
    if (zone) this.m.f.umaZoneSetMax(zone.address, n);
  }

  #destroy(slot: number): void {
    const zone = this.zones[slot];
    if (!zone) return;
    for (const [item, id] of [...zone.items]) this.#freeItem(zone, item, id);
    this.m.f.umaZdestroy(zone.address);
    this.zones[slot] = undefined;
    zone.users.count--;
    expect([zone.zone.ctor, zone.zone.init]).toEqual([zone.zone.dtor, zone.zone.fini]);
    if (zone.users.count === 0) expect(zone.keg.init).toBe(zone.keg.fini);
  }

  /** What must hold between any two operations. */
  #check(zone: Zone): void {
    const { m } = this;
    if (zone.recipe.hooks) expect(zone.zone.ctor - zone.zone.dtor).toBe(zone.items.size);
    const [pages, ppera, ipers] = [L.UK_PAGES, L.UK_PPERA, L.UK_IPERS].map((field) => m.keg(zone.address, field));
    const items = (pages! / ppera!) * ipers!;
    if (zone.items.size > items) throw new Error(`${zone.items.size} items out of ${items}`);
    const counts = m.counts(zone.address);
    if (counts.allocs - counts.frees !== zone.items.size) {
      throw new Error(`${counts.allocs} - ${counts.frees}, ${zone.items.size} out`);
    }
  }

  #malloc(size: number): void {
    const block = this.m.f.malloc(size, this.type, NOWAIT);
    if (block !== 0) this.blocks.set(block, [size, this.#fill(block, size)]);
  }

  #pick(n: number, act: (block: number, size: number, id: number) => void): void {
    const all = [...this.blocks];
    if (all.length === 0) return;
    const [block, [size, id]] = all[n % all.length]!;
    act(block, size, id);
  }

  #freeBlock(block: number, size: number, id: number): void {
    this.#verify(block, size, id);
    this.m.f.free(block, this.type);
    this.blocks.delete(block);
  }

  #realloc(block: number, size: number, id: number, wanted: number): void {
    this.#verify(block, size, id);
    const moved = this.m.f.realloc(block, wanted, this.type, NOWAIT);
    if (moved === 0) return;
    this.#verify(moved, Math.min(size, wanted), id);
    this.blocks.delete(block);
    this.blocks.set(moved, [wanted, this.#fill(moved, wanted)]);
  }

  /** Every whole word of the block is a number that no other has. */
  #fill(address: number, size: number): number {
    const id = this.#ids++;
    this.m.i32.fill(id, address >>> 2, (address >>> 2) + (size >>> 2));
    return id;
  }

  #verify(address: number, size: number, id: number): void {
    for (let word = address >>> 2; word < (address >>> 2) + (size >>> 2); word++) {
      if (this.m.i32[word] !== id) throw new Error(`word ${word} of block ${address}, ${size} bytes, was overwritten`);
    }
  }
}

test.each([
  ['with checks', { invariants: true }, 400],
  ['release', { invariants: false }, 800],
  ['release, short of memory', { invariants: false, memory: '8MiB', tunables: { 'vm.kmem_size': 3 << 19 } }, 300],
  ['counted critical sections', { invariants: true, tunables: { 'kern.soft_critical': 1 } }, 100],
] as const)('UMA, %s, does what a set of items does', async (_, options, programs) => {
  let machine: Freebsd | null = null;
  await fc.assert(
    fc.asyncProperty(fc.array(op, { maxLength: 60, size: 'max' }), async (ops) => {
      machine ??= await freebsd({ cpus: CPUS, ...options });
      const model = new Model(machine);
      const held = machine;
      machine = null;
      model.run(ops);
      model.end();
      // what failed is not used again
      machine = held;
    }),
    { numRuns: programs },
  );
});
