/** vmstat, balance and sysctl as a user runs them: on a core dump, on saved streams, on a machine that is at work. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { boot } from '../../src/host/machine.js';
import { parseMalloc, parseUma } from '../helpers/streams.js';
import { cli, run, smpalloc, startSmpalloc, until } from './helpers/cli.js';

const folder = mkdtempSync(join(tmpdir(), 'smpalloc-vmstat-'));
const core = join(folder, 'vmcore');
const slabCore = join(folder, 'vmcore.slab');
const socket = join(folder, 'machine');

beforeAll(async () => {
  for (const [alloc, file] of [['freebsd', core], ['dragonfly', slabCore]] as const) {
    await using machine = await boot({ alloc, cpus: 2, memory: '16MiB' });
    const [types] = (await machine.run('smpalloc:workloads', 'defineTypes', [['temp', 'devbuf']])) as number[][];
    await machine.run('smpalloc:workloads', 'allocateArea', [1000, types![0]]);
    await machine.dumpCore(file);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('on a core dump', () => {
  test('vmstat shows types and zones', async () => {
    const { code, stdout, stderr } = await smpalloc(`vmstat ${core}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^ {9}Type InUse MemUse HighUse Requests {2}Size\(s\)\n/);
    expect(stdout).toMatch(/\n {9}temp {5}2 {5}2K {7}- {8}2 {2}1024\n\nITEM /);
    expect(stdout).toMatch(/^1024: +1024, +0, +2, +\d+, +2, +0, +0$/m);
  });

  test("vmstat of the slab allocator is DragonFly's", async () => {
    const { code, stdout } = await smpalloc(`vmstat ${slabCore}`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ +Type +InUse +MemUse +Limit +Requests {2}Size\(s\)\n +temp +2 +2K +\d+K +2 {2}-$/m);
    expect(stdout).toMatch(/^1024: +1024 +- +2 +\d+ +-$/m);
  });

  test('-m, -z and --json choose', async () => {
    expect((await smpalloc(`vmstat ${core} -m`)).stdout).not.toContain('ITEM');
    expect((await smpalloc(`vmstat -z ${core}`)).stdout).not.toContain('Type');
    const { stdout } = await smpalloc(`vmstat ${core} --json`);
    expect(JSON.parse(stdout)).toMatchObject({
      machine: { alloc: 'freebsd', ncpu: 2 },
      types: expect.arrayContaining([expect.objectContaining({ name: 'temp', count: 2, numallocs: 2 })]),
      zones: expect.arrayContaining([expect.objectContaining({ name: '1024', size: 1024 })]),
    });
    const slab = JSON.parse((await smpalloc(`vmstat ${slabCore} -z --json`)).stdout);
    expect(slab.classes).toMatchObject([{ size: 1024, used: 2 }]);
  });

  test('balance says who', async () => {
    const { code, stdout } = await smpalloc(`balance ${core}`);
    expect(code).toBe(0);
    expect(stdout).toBe(
      'type  cpu  allocs  frees  blocks  allocated B  freed B   bytes\n' +
      'temp    0       1      0      +1        1,024        0  +1,024\n' +
      'temp    1       1      0      +1        1,024        0  +1,024\n',
    );
    expect(JSON.parse((await smpalloc(`balance ${core} --json`)).stdout).rows).toHaveLength(2);
  });

  test('sysctl prints texts, counts and variables', async () => {
    const { code, stdout } = await smpalloc(`sysctl ${core} kern.malloc kern.malloc_count kern.rbatch machine`);
    expect(code).toBe(0);
    expect(stdout.replace(/"uptime":\d+/, '"uptime":0')).toBe(
      'kern.malloc: \n        Type  InUse MemUse HighUse Requests  Size(s)\n' +
      '         temp     2     2K       -        2  1024\n\n' +
      'kern.malloc_count: 2\nkern.rbatch: 32\n' +
      'machine: {"alloc":"freebsd","ncpu":2,"stats":"critical","free":"-","uptime":0}\n',
    );
  });

  test('sysctl -a has every name, as JSON too', async () => {
    const [text, json] = await Promise.all([smpalloc(`sysctl -a ${core}`), smpalloc(`sysctl -a ${core} --json`)]);
    const values = JSON.parse(json.stdout);
    for (const name of Object.keys(values)) expect(text.stdout).toContain(`${name}:`);
    expect(values).toMatchObject({ 'kern.malloc_count': 2, machine: { ncpu: 2 } });
    expect(parseMalloc(Buffer.from(values['kern.malloc_stats'].base64, 'base64')).records).toHaveLength(2);
  });
});

describe('streams', () => {
  test('are saved, and read again', async () => {
    const file = join(folder, 'zones');
    expect(await smpalloc(`sysctl ${core} vm.zone_stats -o ${file}`)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(parseUma(readFileSync(file)).records.length).toBeGreaterThan(10);
    const [saved, direct] = await Promise.all([smpalloc(`vmstat ${file}`), smpalloc(`vmstat ${core} -z`)]);
    expect(saved).toEqual(direct);
  });

  test('go through a pipe', async () => {
    const pipe = `${process.execPath} ${cli} sysctl ${core} kern.malloc_stats | ${process.execPath} ${cli} vmstat - -m`;
    const { code, stdout } = await run('sh', ['-c', pipe]);
    expect(code).toBe(0);
    expect(stdout).toBe((await smpalloc(`vmstat ${core} -m`)).stdout);
  });

  test('a reader that closes the pipe early is no error', async () => {
    const pipe = `${process.execPath} ${cli} sysctl -a ${core} | head -1; exit \${PIPESTATUS[0]}`;
    expect(await run('bash', ['-c', pipe])).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('what cannot be read', () => {
  const diary = join(folder, 'diary');
  beforeAll(() => writeFileSync(diary, 'dear diary, dear diary, dear diary'));
  test.each([
    ['vmstat', 'missing required args'],
    ['vmstat DIARY', "DIARY: expected a live machine's socket, a core dump, or a stream"],
    ['balance DIARY', 'DIARY: expected a live machine'],
    ['sysctl DIARY machine', 'DIARY: expected a live machine'],
    ['vmstat /no/such/file', 'ENOENT'],
    ['sysctl CORE', 'a name is missing; -a prints all there are'],
    ['sysctl CORE kern.maloc', "no variable 'kern.maloc'; did you mean 'kern.malloc'?"],
    ['sysctl CORE machine kern.malloc -o x', '-o: 2 values; expected one name'],
    ['sysctl -a CORE machine', "-a: 'machine' is not expected"],
    ['sysctl CORE machine -o /no/such/folder/x', '-o: /no/such/folder/x cannot be written'],
    ['vmstat CORE -w soon', '-w: "soon" is not a time'],
    ['vmstat CORE -c 0', '-c: 0 is not usable; expected a whole number from 1'],
    ['bench pair --ops 100 --rounds 1 --listen DIARY', 'listen: "DIARY" is not usable: it is a file'],
  ])('%s: exit code 2, and why', async (args, why) => {
    const named = (text: string) => text.replaceAll('DIARY', diary).replaceAll('CORE', core);
    const { code, stdout, stderr } = await smpalloc(named(args));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(named(why));
  });

  test('a stream of types has no zones', async () => {
    const file = join(folder, 'types');
    await smpalloc(`sysctl ${core} kern.malloc_stats -o ${file}`);
    const { stderr } = await smpalloc(`vmstat -z ${file}`);
    expect(stderr).toContain('is a stream of kern.malloc_stats; expected one of vm.zone_stats');
    expect((await smpalloc(`vmstat ${file}`)).code).toBe(0);
  });
});

test.each(['vmstat', 'balance', 'sysctl'])('%s --help begins with examples', async (command) => {
  const { code, stdout } = await smpalloc(`${command} --help`);
  expect(code).toBe(0);
  expect(stdout.match(/^[A-Z][^:\n]*(?=:\n)/gm)?.[0]).toBe('Examples');
  expect(stdout).toContain('--json');
});

describe('on a machine at work', () => {
  test('a view is shown again and again, ^C ends it with what there was, and the machine does not notice', async () => {
    const bench = startSmpalloc(`bench pair --alloc freebsd --duration 100ms --rounds 80 --json --listen ${socket}`);
    await until('the socket', () => existsSync(socket));
    const few = await smpalloc(`vmstat ${socket} -m -w 50ms -c 3`);
    expect(few).toMatchObject({ code: 0, stderr: '' });
    expect(few.stdout.match(/^ +temp +\d+/gm)).toHaveLength(3);
    const watching = startSmpalloc(`balance ${socket} -w 100ms`);
    let seen = '';
    watching.child.stdout!.on('data', (piece: string) => {
      seen += piece;
    });
    await until('two views', () => seen.split('type ').length > 2);
    watching.child.kill('SIGINT');
    expect(await watching.ended).toMatchObject({ code: 130, stderr: 'interrupted\n' });
    const last = startSmpalloc(`vmstat ${socket} -z -w 100ms`);
    const { code, stdout } = await bench.ended;
    expect({ code, rows: JSON.parse(stdout).rows.length }).toEqual({ code: 0, rows: 1 });
    // the machine is gone, and that is what the view says
    expect(await last.ended).toMatchObject({ code: 0, stderr: 'the machine has stopped\n' });
    expect(existsSync(socket)).toBe(false);
  });
});
