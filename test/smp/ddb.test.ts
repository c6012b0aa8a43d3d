/** The debugger on a machine that runs: nobody stops for it, and lists that change under it lead it nowhere. */
import { expect, test } from 'vitest';
import { SmpallocError } from '../../src/base/errors.js';
import { audited, machine, smpalloc } from './helpers/machine.js';
import { LOADS } from './helpers/workloads.js';

const COMMANDS = [
  'show malloc', 'show uma', 'show zone', 'leaks', 'leaks temp', 'show ipiq', 'show ktr 64', 'show pcpu 1',
  'show freepages', 'show panic', 'show msgbuf', 'x/x 1000,256',
];

test.each([['dragonfly', 'larson'], ['dragonfly', 'xmalloc'], ['freebsd', 'larson'], ['freebsd', 'xmalloc']] as const)(
  'every command answers while %s runs %s, and the machine is none the worse', async (alloc, name) => {
    const m = await machine({ alloc, ktr: 256 });
    const load = await LOADS[name](m, 40);
    let running = true;
    const done = load.go().finally(() => {
      running = false;
    });
    let looks = 0;
    while (running) {
      for (const command of COMMANDS) {
        try {
          smpalloc.ddbCommand(m.memory, command);
        } catch (error) {
          // what only the other allocator has
          if (!SmpallocError.is(error) || !/UMA|zone/.test(error.message)) throw error;
        }
      }
      looks++;
      await new Promise(setImmediate);
    }
    await done;
    expect(looks).toBeGreaterThan(1);
    expect(await audited(m)).toBe(load.resting);
    const leaks = smpalloc.ddbCommand(m.memory, 'leaks');
    expect(leaks).toContainEqual(expect.stringMatching(new RegExp(`^walk: ${load.resting} live blocks, \\d+ bytes$`)));
  },
);
