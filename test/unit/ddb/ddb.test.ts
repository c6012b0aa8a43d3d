/** The debugger's commands on machines of both allocators: what they say is what the machine did. */
import { describe, expect, test } from 'vitest';
import { ALLOC_NAMES } from '../../../src/base/policy.js';
import { IPIF_USER } from '../../../src/base/ipif.js';
import { GD_NPOLL } from '../../../src/kern/globaldata.layout.js';
import { MTS_NUMFREES, mtsOffset } from '../../../src/kern/malloc_type.layout.js';
import { DDB_COMMANDS, ddbState } from '../../../src/observe/ddb/ddb.js';
import { debugged, hex, refusalOf } from '../../helpers/ddb.js';
import { panicCodeOf } from '../../helpers/inside.js';

describe.each(ALLOC_NAMES)('on a machine of %s', (alloc) => {
  test('show malloc has a row a type, and its columns', async () => {
    const { run } = await debugged({ alloc });
    const rows = run('show malloc');
    expect(rows[0]).toBe('              Type        InUse       MemUse     Requests');
    expect(rows.find((row) => / temp /.test(row))).toMatch(/^ {14}temp +4 +\d+K +5$/);
    expect(rows.find((row) => / devbuf /.test(row))).toMatch(/^ {12}devbuf +3 +\d+K +3$/);
  });

  test('leaks finds every live block, and none that was freed', async () => {
    const { run, blocks, freed } = await debugged({ alloc });
    const all = run('leaks');
    expect(all).toContainEqual(expect.stringMatching(/^walk: 7 live blocks, \d+ bytes$/));
    expect(all).toContainEqual(expect.stringMatching(/^ +temp +cpu0 +64 +2 +128 /));
    expect(all.join('\n')).not.toContain('older than ktr');
    const listed = run('leaks temp').slice(1).map((line) => line.split(' ')[0]);
    expect(listed.sort()).toEqual([...blocks.temp, blocks.large].map(hex).sort());
    expect(listed).not.toContain(hex(freed));
    expect(run('leaks devbuf').slice(1)).toHaveLength(3);
  });

  test('leaks counts the bytes the types count', async () => {
    const { run } = await debugged({ alloc });
    const lines = run('leaks');
    const end = lines.indexOf('');
    const counted = lines.slice(1, end).reduce((sum, line) => sum + Number(line.trim().split(/ +/)[2]), 0);
    expect(lines).toContain(`walk: 7 live blocks, ${counted} bytes`);
  });

  test('leaks knows no types without ktr, and says how to get them', async () => {
    const { text } = await debugged({ alloc, ktr: 0 });
    expect(text('leaks')).toContain('walk: 7 live blocks');
    expect(text('leaks')).toContain('option ktr');
    expect(text('leaks temp')).toBe('ktr is off: no block says its type');
  });

  test('leaks of a machine at rest is empty', async () => {
    const { m, types, blocks, run } = await debugged({ alloc });
    for (const block of [...blocks.temp, blocks.large]) m.kfree(block, types.temp);
    for (const block of blocks.devbuf) m.kfree(block, types.devbuf);
    m.quiesceAndAudit();
    expect(run('leaks')).toContain('walk: 0 live blocks, 0 bytes');
  });

  test('show slab draws what is free, and says what the address is', async () => {
    const { text, blocks, m } = await debugged({ alloc });
    const drawn = text(`show slab ${hex(blocks.temp[0]! + 8)}`);
    expect(drawn).toMatch(/\n {6}0 {2}[*b.r-]+/);
    expect(drawn).toContain('*');
    expect(text(`show slab ${hex(blocks.large)}`)).toMatch(/block/);
    expect(refusalOf(m.memory, 'show slab')).toContain('ESMP_INPUT show slab: an address is missing, such as show sl');
    expect(refusalOf(m.memory, 'show slab 8')).toContain("superblock's page");
  });

  test('show zone lists them all, or the one an address is in', async () => {
    const { text, blocks, m } = await debugged({ alloc });
    expect(text('show zone').split('\n').length).toBeGreaterThan(3);
    const one = text(`show zone ${hex(blocks.temp[2]!)}`);
    expect(one).toContain(alloc === 'freebsd' ? '1024(0x' : 'SLZone 0x');
    expect(refusalOf(m.memory, 'show zone nonsense')).toMatch(/^ESMP_INPUT show zone: /);
  });

  test('show page knows what is on it', async () => {
    const { text, blocks } = await debugged({ alloc });
    const page = text(`show page ${hex(blocks.temp[0]!)}`);
    expect(page).toContain(`page ${blocks.temp[0]! >>> 12} of 4096`);
    expect(page).toContain(alloc === 'freebsd' ? 'item ' : 'chunk ');
    expect(text('show page 0')).toContain("part of the kernel's image");
  });

  test('show freepages adds up to the free pages', async () => {
    const { run, m } = await debugged({ alloc });
    const lines = run('show freepages');
    const pages = lines.reduce((sum, line) => {
      const [, order, count] = /^ {2}(\d\d) \(\d{6}K\) {2}\| {2}(\d{6})$/.exec(line) ?? [];
      return order === undefined ? sum : sum + (Number(count) << Number(order));
    }, 0);
    expect(lines.at(-1)).toMatch(new RegExp(`^free ${pages} pages, wired \\d+,`));
    expect(m.page.vmFreeCount()).toBe(pages);
  });

  test('show ktr has the last events of all CPUs, of one, so many', async () => {
    const { run, blocks, m } = await debugged({ alloc });
    expect(run('show ktr').join('\n')).toContain(`malloc ${hex(blocks.temp[0]!)} type`);
    expect(run('show ktr 2 cpu1')).toHaveLength(3);
    expect(run('show ktr 2 1')[0]).toMatch(/^ktr cpu1 \(\d+ events\)$/);
    expect(refusalOf(m.memory, 'show ktr many')).toContain("COUNT 'many' is not usable");
    expect(refusalOf(m.memory, 'show ktr 1 7')).toContain('expected a whole number from 0 to 1');
  });

  test('show panic says what the kernel said, and the structures it is about', async () => {
    const { text, types, blocks, m } = await debugged({ alloc });
    expect(text('show panic')).toBe('no panic');
    expect(panicCodeOf(() => m.on(1, () => m.kfree(blocks.devbuf[0]! + 8, types.devbuf)))).not.toBe(0);
    expect(text('show panic')).toMatch(/^panic: .+\n/);
    expect(text('show panic')).toMatch(/\ncpuid = 1\n/);
    expect(text('show panic')).toContain(alloc === 'freebsd' ? 'uma_slab 0x' : 'SLZone 0x');
    expect(ddbState(m.memory).cpu).toBe(1);
  });

  test('show pcpu is of the selected CPU, or of the one that is named', async () => {
    const { run } = await debugged({ alloc });
    expect(run('show pcpu')[0]).toMatch(/^cpu0 globaldata 0x[0-9a-f]+: online, in no phase/);
    expect(run('show pcpu 1')[0]).toMatch(/^cpu1 /);
    expect(run('cpu 1')).toEqual(['cpu1 of 0-1']);
    expect(run('show registers')[0]).toMatch(/^cpu1 /);
    expect(run('show pcpu').join('\n')).toMatch(/gd_cpuid +1$/m);
  });

  test('show sysctl has all variables, or those that begin so', async () => {
    const { run, m } = await debugged({ alloc });
    expect(run('show sysctl lwkt.ipiq_timeout')).toEqual(['lwkt.ipiq_timeout: 10000']);
    expect(run('show sysctl kern.slab').length).toBeGreaterThan(5);
    expect(run('show sysctl kern.malloc_count')).toEqual(['kern.malloc_count: 2']);
    expect(run('show sysctl kern.malloc')).toContainEqual(expect.stringMatching(/^ +temp +4 /));
    expect(run('show sysctl').join('\n')).toMatch(/^kern\.malloc_stats: \d+ bytes$/m);
    expect(refusalOf(m.memory, 'show sysctl kern.zone_cash')).toContain("did you mean 'kern.zone_cache'?");
  });

  test('x shows words and their names, and goes on where it stopped', async () => {
    const { run, m } = await debugged({ alloc });
    const gd = m.memory.gd(1) * 4;
    expect(run(`x/x ${gd.toString(16)},6`)).toEqual([
      expect.stringMatching(/^0x[0-9a-f]{8} {2}00000001 [0-9a-f]{8} .* gd cpu1\.gd_cpuid$/),
      expect.stringMatching(/ gd cpu1\.gd_ktr$/),
    ]);
    expect(run('x/d')[0]).toContain(' gd cpu1.');
    expect(run(`x/d ${hex(gd)} 1`)[0]).toMatch(/ {11}1 /);
    expect(refusalOf(m.memory, 'x/x 0x1000,100000')).toContain("COUNT '100000' is not usable");
    expect(refusalOf(m.memory, 'x/q 0x1000')).toContain('there are x/x');
    expect(refusalOf(m.memory, 'x/x ffffffff')).toContain('behind the memory');
  });

  test('x/s shows text', async () => {
    const { m, run, types } = await debugged({ alloc });
    const text = m.kstrdup('hello', types.temp, m.M_WAITOK);
    expect(run(`x/s ${hex(text)}`)).toEqual([`0x${text.toString(16).padStart(8, '0')}  "hello"`]);
  });

  test('nothing of the machine changes while it is looked at', async () => {
    const { m, blocks } = await debugged({ alloc });
    const before = Buffer.from(new Uint8Array(m.heap)).toString('latin1');
    for (const { name } of DDB_COMMANDS) {
      const argument = /slab|bucket|page$/.test(name) ? ` ${hex(blocks.temp[0]!)}` : '';
      // what the other allocator has is refused, which must not change anything either
      refusalOf(m.memory, `${name}${argument}`);
    }
    expect(Buffer.from(new Uint8Array(m.heap)).toString('latin1') === before).toBe(true);
  });
});

describe('of UMA', () => {
  test('show uma has a row a zone: used items are allocations without frees', async () => {
    const { run } = await debugged({ alloc: 'freebsd' });
    const rows = run('show uma');
    expect(rows[0]).toBe('              Zone       Allocs        Frees         Used    Cache');
    expect(rows.find((row) => /^ {16}64 /.test(row))).toMatch(/^ {16}64 +4 +1 +3 +\d+$/);
    expect(rows.some((row) => /UMA Kegs/.test(row))).toBe(true);
  });

  test('show zone NAME is uma_print_zone of it', async () => {
    const { run, m } = await debugged({ alloc: 'freebsd' });
    const lines = run('show zone 64');
    expect(lines[0]).toMatch(/^64\(0x[0-9a-f]+\) keg 0x[0-9a-f]+ size 64\(64\) flags 0x10 ipers \d+ ppera 1 out \d+/);
    expect(lines.filter((line) => /^(Part|Free|Full) Slabs:/.test(line))).toHaveLength(3);
    expect(lines).toContain('CPU 1 Cache:');
    expect(refusalOf(m.memory, 'show zone 65')).toMatch(/no zone '65'; did you mean '\d+'\? there are /);
  });

  test('show bucket says where it hangs and what is in it', async () => {
    const { text, m } = await debugged({ alloc: 'freebsd' });
    const [, bucket] = /CPU 1 Cache:\n {2}alloc: \S+, free: (0x[1-9a-f][0-9a-f]+)\(1\)/.exec(text('show zone 64')) ??
      /CPU 0 Cache:\n {2}alloc: (0x[1-9a-f][0-9a-f]+)/.exec(text('show zone 64'))!;
    expect(text(`show bucket ${bucket}`)).toMatch(/^zone "64", CPU \d, its (alloc|free) bucket\numa_bucket /);
    expect(refusalOf(m.memory, 'show bucket 20000')).toContain('is no bucket of a zone');
  });

  test('a machine of the slab allocator has none of it, and says so', async () => {
    const { m } = await debugged();
    for (const line of ['show uma', 'show bucket 80000']) {
      expect(refusalOf(m.memory, line)).toContain('this machine has no UMA; it runs the dragonfly slab allocator');
    }
  });
});

describe('the table of show malloc', () => {
  test.each(ALLOC_NAMES)('is the kernel\'s, blank by blank: %s', async (alloc) => {
    const { run } = await debugged({ alloc });
    expect(run('show malloc')).toEqual([
      '              Type        InUse       MemUse     Requests',
      '            devbuf            3         101K            3',
      '              temp            4          54K            5',
    ]);
  });
});

describe('counts', () => {
  test('that are less than nothing are shown as the u64 they are', async () => {
    const { m, run, types } = await debugged();
    m.memory.i64[(types.temp >>> 3) + mtsOffset(m.ncpu) + MTS_NUMFREES]! += 5n;
    expect(run('show malloc').find((row) => / temp /.test(row))).toContain(' 18446744073709551615 ');
  });
});

describe('show ipiq', () => {
  test('has the queues that were used and what lies in them', async () => {
    const { m, text } = await debugged({ signalDelay: 1000 });
    m.ipiq.ipiqRegister(IPIF_USER, () => {});
    m.on(0, () => m.lwktSendIpiq(1, IPIF_USER, 0x1234, 7));
    expect(text('show ipiq')).toMatch(/^0->1 +1 +0 +0 +0 +1$/m);
    expect(text('show ipiq')).toContain('    IPIF_USER 0x1234 0x7');
    expect(m.word(m.memory.gd(1) * 4, GD_NPOLL)).toBe(1);
    expect(text('show ipiq')).toContain('cpu1 gd_npoll 1, gd_ipimask 0x1');
  });

  test('a chunk in a message is not live', async () => {
    const { m, run, blocks, types } = await debugged({ free: 'ipi', signalDelay: 1000 });
    const before = run('leaks').find((line) => line.startsWith('walk:'));
    m.on(1, () => m.kfree(blocks.temp[0]!, types.temp));
    expect(before).toMatch(/^walk: 7 /);
    expect(run('leaks').find((line) => line.startsWith('walk:'))).toMatch(/^walk: 6 /);
  });
});

describe('a line', () => {
  test('may have several commands', async () => {
    const { run } = await debugged();
    expect(run(' show panic ;; cpu; quit')).toEqual(['no panic', 'cpu0 of 0-1']);
    expect(run('')).toEqual([]);
  });

  test.each([
    ['shwo malloc', "no command 'shwo'; did you mean 'show malloc'? there are "],
    ['leeks', "did you mean 'leaks'?"],
    ['show maloc', "show: no 'maloc'; did you mean 'malloc'? there are panic, malloc, uma"],
    ['show', 'show: what? there are panic, malloc'],
    ['show malloc temp', "show malloc: 'temp' is one argument too many"],
    ['frobnicate', "no command 'frobnicate'; there are show, leaks, "],
  ])('that is wrong says what would be right: %s', async (line, message) => {
    const { m } = await debugged();
    expect(refusalOf(m.memory, line)).toContain(message);
  });

  test('help names every command', async () => {
    const { run } = await debugged();
    expect(run('help')).toHaveLength(DDB_COMMANDS.length);
  });
});
