/**
 * handover.scenario.js — a block changes hands: one CPU allocates and writes it, another reads and frees it.
 *
 *   smpalloc race explore ./handover.scenario.js                     passes
 *   smpalloc race explore ./handover.scenario.js --defect early      the flag is raised before the block is written
 */
import { scenario } from 'smpalloc/race';

const SIZE = 64;

export default scenario('handover', {
  title: 'a block is written, handed over, read and freed',
  origin: 'examples/race',
  cpus: ['giver', 'taker'],

  // once, single-threaded: the memory every execution starts from
  setup: (k) => {
    const [flag, block] = k.words(2);
    return { flag, block };
  },

  // what each CPU does; an operation touches nothing but the machine, and may be run again
  cpu: {
    giver: (k, { flag, block }) => [
      k.op('kmalloc', (c) => c.kmalloc(SIZE)),
      k.op('write, hand over', (c) => {
        const ptr = c.results[0];
        if (k.defect('early')) c.store(flag, 1);
        c.write(ptr, 42);
        c.st(block, ptr);
        if (!k.defect('early')) c.store(flag, 1);
      }),
    ],
    taker: (k, { flag, block }) => [
      k.op('wait', (c) => {
        while (c.load(flag) === 0) c.pause();
      }),
      k.op('read', (c) => c.read(c.ld(block))),
      k.op('kfree', (c) => c.kfree(c.ld(block))),
    ],
  },

  // at the end, after the machine's own audits: results[cpu][operation]
  after: (_view, _state, [, [, value]]) => value === 42 || `the taker read ${value}, not 42`,

  defects: ['early'],
  expect: { verdict: 'pass', with: { early: 'data-race' } },
});
