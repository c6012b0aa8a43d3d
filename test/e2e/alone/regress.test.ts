/** smpalloc race regress promises a time, which it can keep with the machine for itself. */
import { expect, test } from 'vitest';
import { smpalloc } from '../helpers/cli.js';

test('regress replays all known failures, in less than ten seconds', async () => {
  const { code, stdout } = await smpalloc('race regress --json');
  const { seconds, results, missing } = JSON.parse(stdout);
  expect(results.filter(({ problem }: { problem: string }) => problem !== '')).toEqual([]);
  expect({ code, missing }).toEqual({ code: 0, missing: [] });
  expect(results.length).toBeGreaterThan(25);
  expect(seconds).toBeLessThan(10);
});
