/** smpalloc probe: a table for people, a profile for the model. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COSTS, parseProfile } from '../../src/lab/model/profiles.js';
import { smpalloc } from './helpers/cli.js';

test('probe prints what it measured and what each cost is made of, and writes the profile', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'smpalloc-probe-'));
  try {
    const file = join(folder, 'host.json');
    const { code, stdout } = await smpalloc(`probe -o ${file}`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^plain access to a line this CPU has +\d+ +0( +[\d.,]+){4}$/m);
    for (const cost of COSTS) expect(stdout).toMatch(new RegExp(`^${cost} +[\\d.,]+  \\w`, 'm'));
    const profile = parseProfile(JSON.parse(readFileSync(file, 'utf8')), file);
    expect(profile.name).toBe('host');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('probe --json is the profile', async () => {
  const { code, stdout } = await smpalloc('probe --json');
  expect(code).toBe(0);
  expect(parseProfile(JSON.parse(stdout)).name).toBe('host');
});

test('probe says what is wrong with a file it cannot write, before it measures', async () => {
  const { code, stdout, stderr } = await smpalloc('probe -o /no/such/folder/host.json');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^error: -o: '\/no\/such\/folder\/host.json' cannot be written \(ENOENT/);
});
