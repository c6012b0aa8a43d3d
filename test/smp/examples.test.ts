/** The examples run, and say what their READMEs say they do. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const example = (file: string): string => fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));

/** What may differ from run to run. */
const steady = (text: string): string => text.replace(/0x[0-9a-f]+|\d+ (swaps|messages)/g, 'N $1').trimEnd();

test('linked-list: two workers build and free a list in shared memory', async () => {
  const node = promisify(execFile);
  const { stdout } = await node(process.execPath, [example('linked-list/main.mjs')], { timeout: 20_000 });
  const readme = await readFile(example('linked-list/README.md'), 'utf8');
  const promised = /```\n(builder[\s\S]*?)```/.exec(readme)![1]!;
  expect(steady(stdout)).toBe(steady(promised));
});
