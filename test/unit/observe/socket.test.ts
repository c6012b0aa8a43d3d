/** A live machine's socket: who answers what, and who is refused. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SysctlClient } from '../../../src/host/sysctl_client.js';
import { SysctlServer } from '../../../src/host/sysctl_server.js';
import { openSource } from '../../../src/host/sysctl_source.js';
import { mallocStream } from '../../../src/observe/malloc_stream.js';
import { memstatMtlAlloc, memstatMtlGeterror, memstatSysctlAll } from '../../../src/observe/memstat/index.js';
import { observableNames } from '../../../src/observe/sysctl.js';
import { type Observed, observed } from '../../helpers/observed.js';

const folder = mkdtempSync(join(tmpdir(), 'smpalloc-socket-'));
const path = join(folder, 'machine');
let o: Observed;
const open: { close(): void | Promise<void> }[] = [];
beforeAll(async () => {
  o = await observed();
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function serve(): Promise<void> {
  open.push(await SysctlServer.listen(path, o.m.memory));
}
async function client(): Promise<SysctlClient> {
  const one = await SysctlClient.connect(path);
  open.push(one);
  return one;
}
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test('every name is answered, in the order of the questions', async () => {
  await serve();
  const asker = await client();
  const values = await Promise.all(observableNames().map((name) => asker.read(name)));
  expect(values).toHaveLength(observableNames().length);
  expect(Buffer.from(await asker.read('kern.malloc_stats')).equals(mallocStream(o.m.memory))).toBe(true);
  expect(text(await asker.read('kern.malloc_count'))).toBe('3');
  expect(JSON.parse(text(await asker.read('machine')))).toEqual({
    alloc: 'freebsd', ncpu: 2, stats: 'critical', free: '-', uptime: expect.any(Number),
  });
});

test('libmemstat reads a machine behind a socket as one beside it', async () => {
  await serve();
  const list = memstatMtlAlloc();
  expect(await memstatSysctlAll(list, await client())).toBe(0);
  expect([...list].find(({ name }) => name === 'devbuf')!.count).toBe(8n);
});

test('a value that does not fit, and a name nobody has, are refused by number', async () => {
  await serve();
  const asker = await client();
  await expect(asker.read('kern.malloc_stats', 100)).rejects.toMatchObject({ errno: 'ENOMEM' });
  await expect(asker.read('kern.none')).rejects.toMatchObject({ errno: 'ENOENT', message: "no variable 'kern.none'" });
  await expect(asker.read('kern.x\nmachine')).rejects.toMatchObject({ errno: 'ENOENT' });
  expect(text(await asker.read('kern.malloc_count', 1))).toBe('3');
});

test('the socket is for its owner alone, and goes with the server', async () => {
  await serve();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await open.pop()!.close();
  expect(() => statSync(path)).toThrow('ENOENT');
});

test('a client whose machine stops has its questions ended', async () => {
  await serve();
  const asker = await client();
  await asker.read('machine');
  await open.splice(0, 1)[0]!.close();
  await expect(asker.read('machine')).rejects.toMatchObject({ errno: 'EIO' });
  expect(asker.gone).toBe('the machine has stopped');
  const list = memstatMtlAlloc();
  expect([await memstatSysctlAll(list, asker), memstatMtlGeterror(list)]).toEqual([-1, 5]);
});

test('a socket that a dead process left behind is replaced', async () => {
  // a server whose process ends without closing it leaves its file; here: one that moved away
  const stale = createServer();
  await new Promise<void>((resolve) => stale.listen(join(folder, 'away'), resolve));
  const { renameSync } = await import('node:fs');
  renameSync(join(folder, 'away'), path);
  stale.close();
  expect(statSync(path).isSocket()).toBe(true);
  await serve();
  expect(text(await (await client()).read('kern.malloc_count'))).toBe('3');
});

test('a path that is in use, a file, or too long is refused', async () => {
  await serve();
  const refusal = (wanted: string) =>
    SysctlServer.listen(wanted, o.m.memory).then(() => '', (error) => `${error.code} ${error.message}`);
  expect(await refusal(path)).toMatch(/^ESMP_OPTION listen: .* another machine listens there/);
  const file = join(folder, 'file');
  writeFileSync(file, 'precious');
  expect(await refusal(file)).toMatch(/^ESMP_OPTION .* it is a file, and no socket/);
  expect(statSync(file).size).toBe(8);
  expect(await refusal(join(folder, 'x'.repeat(200)))).toMatch(/a socket's path has 1 to \d+ bytes/);
  expect(await refusal('')).toMatch(/this has 0/);
  expect(await refusal(join(folder, 'no', 'such', 'folder'))).toMatch(/^ESMP_OPTION .*(ENOENT|EACCES)/);
});

test('a client that sends garbage, or asks and never reads, does not disturb the others', async () => {
  await serve();
  const rude = connect(path);
  rude.on('error', () => {});
  const closed = new Promise((resolve) => rude.once('close', resolve));
  rude.write('x'.repeat(10_000));
  await closed;
  const deaf = connect(path);
  deaf.pause();
  deaf.write('vm.zone_stats\n'.repeat(5000));
  const asker = await client();
  expect(text(await asker.read('kern.malloc_count'))).toBe('3');
  deaf.destroy();
});

test.each([
  ['a length no machine answers with', Buffer.from([0, 0, 0, 0, 255, 255, 255, 255]), 'this is no machine'],
  ['an end in the middle of an answer', Buffer.from([0, 0, 0, 0, 9]), 'the machine has stopped'],
])('a server that is none of ours: %s', async (_, bytes, why) => {
  const odd = createServer((socket) => {
    socket.on('error', () => {}).resume().end(bytes);
  });
  await new Promise<void>((resolve) => odd.listen(path, resolve));
  open.push({ close: () => new Promise<void>((resolve) => odd.close(() => resolve())) });
  await expect((await client()).read('machine')).rejects.toThrow(why);
});

test('what is no source says what would be one', async () => {
  const file = join(folder, 'notes');
  writeFileSync(file, 'dear diary, today ...');
  await expect(openSource(file)).rejects.toThrow(/expected a live machine's socket, a core dump, or a stream/);
  await expect(openSource(folder)).rejects.toThrow('it is a folder');
  await expect(openSource(join(folder, 'none'))).rejects.toThrow('ENOENT');
  const stream = mallocStream(o.m.memory);
  writeFileSync(file, stream.subarray(0, 100));
  await expect(openSource(file)).rejects.toThrow(`100 bytes, expected ${stream.length} of kern.malloc_stats or`);
  writeFileSync(file, Buffer.concat([Buffer.from([2, 0, 0, 0]), stream.subarray(4)]));
  await expect(openSource(file)).rejects.toThrow('a statistics stream of version 2, maybe; this smpalloc reads 1');
  writeFileSync(file, stream);
  expect(await openSource(file)).toMatchObject({ kind: 'stream', memory: null });
});
