import { describe, expect, test } from 'vitest';
import { readTrace } from '../../../src/host/trace/read.js';
import { collect, fixture, lines, logger } from './collect.js';

const perf = (event: string, cpu = 0): string => `  cc  12 [00${cpu}]  2717.570427:   kmem:${event}`;
const ALLOC = 'call_site=f+0x1 ptr=0xffff888100000040 bytes_req=10 bytes_alloc=16 gfp_flags=GFP_KERNEL';
const FREE = 'kfree: call_site=g+0x2 ptr=0xffff888100000040';

describe('kernel events in the layouts of their time', () => {
  // [kernel, text of an allocation and its free, size, type]
  const layouts: [string, string[], number, string][] = [
    [
      '2.6.31, ftrace, no flags column, no 0x, a bare call site',
      [
        '            bash-1234  [001]  4242.123456: kmalloc: call_site=c10e7a3d ptr=f5d3a1c0 bytes_req=56 bytes_alloc=64 gfp_flags=GFP_KERNEL|GFP_ZERO',
        '            bash-1234  [001]  4242.123459: kfree: call_site=c10e7b00 ptr=f5d3a1c0',
      ],
      56,
      'c10e7a3d',
    ],
    [
      '2.6.3x, perf trace, ftrace shape, nanoseconds',
      [
        '            Xorg-1889  [001]  4242.123456789: kmalloc: call_site=ffffffffa00b8c4e ptr=0xffff88003b1ee000 bytes_req=1024 bytes_alloc=1024 gfp_flags=GFP_KERNEL',
        '            Xorg-1889  [001]  4242.123457000: kfree: call_site=ffffffffa00b8c4e ptr=0xffff88003b1ee000',
      ],
      1024,
      'ffffffffa00b8c4e',
    ],
    [
      '3.x, ftrace with four flags, kmalloc_node',
      [
        '          <idle>-0     [001] d.h3   100.000001: kmalloc_node: call_site=ffffffff8155a2cf ptr=ffff880036d56c00 bytes_req=640 bytes_alloc=1024 gfp_flags=GFP_ATOMIC|GFP_NOWARN node=-1',
        '          <idle>-0     [001] ..s2   100.000009: kfree: call_site=ffffffff8155a2cf ptr=ffff880036d56c00',
      ],
      640,
      'ffffffff8155a2cf',
    ],
    [
      '4.x, perf, kmem_cache_alloc_node: site and size stand for the cache',
      [
        perf(
          'kmem_cache_alloc_node: call_site=ffffffff81119f4a ptr=0xffff8801a00 bytes_req=232 bytes_alloc=256 gfp_flags=GFP_KERNEL|__GFP_ZERO node=0',
          1,
        ),
        perf('kmem_cache_free: call_site=ffffffff81119f4b ptr=0xffff8801a00', 1),
      ],
      232,
      'ffffffff81119f4a:232',
    ],
    [
      '4.x, trace-cmd: padding, a resolved site, raw gfp flags',
      [
        '            ls-777   [001]   812.000001: kmalloc:              (fuse_request_alloc+0x7b) call_site=ffffffffa0431f4b ptr=0xffff88012 bytes_req=96 bytes_alloc=96 gfp_flags=0xdc0',
        '            ls-777   [001]   812.000002: kfree:                (fuse_put_request+0x1) call_site=ffffffffa0431f00 ptr=0xffff88012',
      ],
      96,
      'fuse_request_alloc',
    ],
    [
      '5.12, name on the free, a tgid column',
      [
        '            cc-7372  (   7370) [001] .... 2796.654234: kmem_cache_alloc: call_site=getname_flags+0x24/0x1f0 ptr=000000009d2c9b07 bytes_req=4096 bytes_alloc=4096 gfp_flags=GFP_KERNEL',
        '            cc-7372  (-------) [001] .... 2796.654235: kmem_cache_free: call_site=user_path_at+0x5b/0xa0 ptr=000000009d2c9b07 name=names_cache',
      ],
      4096,
      'getname_flags:4096',
    ],
    [
      '6.1, node and accounted on every allocation',
      [
        perf(
          'kmalloc: call_site=alloc_pipe_info+0x5d ptr=0xffff8881a5e66400 bytes_req=176 bytes_alloc=192 gfp_flags=GFP_KERNEL_ACCOUNT|__GFP_ZERO node=-1 accounted=true',
          1,
        ),
        perf('kfree: call_site=free_pipe_info+0x5d ptr=0xffff8881a5e66400', 1),
      ],
      176,
      'alloc_pipe_info',
    ],
    [
      '6.18, name on the allocation, -F cpu,time,event,trace --ns',
      [
        '[001]  2717.739241443: kmem:kmem_cache_alloc: call_site=__alloc_skb+0x147 ptr=0xffff8881a539b400 name=skbuff_head_cache bytes_req=224 bytes_alloc=256 gfp_flags=GFP_KERNEL node=-1 accounted=false',
        '[001]  2717.739241449: kmem:kmem_cache_free: call_site=kfree_skb+0x1 ptr=0xffff8881a539b400 name=skbuff_head_cache',
      ],
      224,
      'skbuff_head_cache',
    ],
  ];

  test.each(layouts)('%s', async (_, text, size, type) => {
    const got = await collect(lines(...text));
    expect(got.log).toEqual([`1+1:${size}@0`, '1-1']);
    expect(got).toMatchObject({ kernel: true, types: [type], threads: 1, bad: { count: 0 } });
  });

  test('ftrace and perf are told apart by how comm and pid are joined', async () => {
    const formats = layouts.map(async ([, text]) => (await collect(lines(...text))).format);
    expect(await Promise.all(formats)).toEqual([
      'ftrace',
      'ftrace',
      'ftrace',
      'perf',
      'ftrace',
      'ftrace',
      'perf',
      'perf',
    ]);
  });

  test('comm may hold blanks and brackets, and pid be pid/tid', async () => {
    const got = await collect(
      lines(
        `Web Content [3] 4711/4712 [003] 1.000001: kmem:kmalloc: ${ALLOC}`,
        `  DOM Worker 1: x 4711/4713 [002]     1.000002: kmem:${FREE}`,
      ),
    );
    expect(got).toMatchObject({ format: 'perf', log: ['3+1:10@0', '2-1'], bad: { count: 0 } });
  });

  test('a perf line without a cpu is of cpu 0', async () => {
    const got = await collect(lines(`  12.000001: kmem:kmalloc: ${ALLOC}`, `cc 9 12.000002: kmem:${FREE}`));
    expect(got.log).toEqual(['0+1:10@0', '0-1']);
  });

  test('call chains, comments and blank lines of perf are passed over', async () => {
    const chain = [
      '\tffffffff81277a01 __kmalloc+0x1 ([kernel.kallsyms])',
      '        7f3c2a8f0b5d malloc (libc.so.6)',
      '',
    ];
    const got = await collect(
      lines(
        '# ========',
        '# captured on : x',
        '#',
        perf(`kmalloc: ${ALLOC}`),
        ...chain,
        perf(FREE),
        ...chain,
      ),
    );
    expect(got).toMatchObject({ format: 'perf', events: 2, bad: { count: 0 }, dropped: { otherEvents: 0 } });
  });

  test('stack traces and the column heads of ftrace are passed over', async () => {
    const got = await collect(
      lines(
        'cpus=2',
        '# tracer: nop',
        '#',
        ` cc-1 [000] ..... 1.000001: kmalloc: ${ALLOC}`,
        ' => __kmalloc',
        ' => getname',
      ),
    );
    expect(got).toMatchObject({ format: 'ftrace', events: 1, bad: { count: 0 } });
  });

  test('ftrace with a counter clock has times without a fraction', async () => {
    expect((await collect(` cc-1 [000] ..... 1000001: kmalloc: ${ALLOC}\n`)).log).toEqual(['0+1:10@0']);
  });

  test('a lost blank between bytes_req and bytes_alloc is forgiven', async () => {
    const got = await collect(perf('kmalloc: call_site=f ptr=0x40 bytes_req=56bytes_alloc=64'));
    expect(got.log).toEqual(['0+1:56@0']);
  });

  test('keys stand in any order and most may be missing', async () => {
    const got = await collect(
      lines(
        perf('kmalloc: bytes_alloc=64 ptr=0x40'),
        perf('kmem_cache_alloc: name=filp bytes_req=9 ptr=0x80'),
      ),
    );
    expect(got).toMatchObject({
      log: ['0+1:64@0', '0+2:9@1'],
      types: ['unknown', 'filp'],
      bad: { count: 0 },
    });
  });
});

describe('what kernel recorders leave out', () => {
  test.each(['(null)', '          (null)', '(nil)', '0x0', '0', '0000000000000000'])(
    'a free of %j is dropped',
    async (ptr) => {
      const got = await collect(lines(perf(`kmalloc: ${ALLOC}`), perf(`kfree: call_site=f ptr=${ptr}`)));
      expect(got).toMatchObject({ events: 1, dropped: { nullFrees: 1, unknownFrees: 0 }, bad: { count: 0 } });
    },
  );

  test('an allocation that failed is dropped', async () => {
    const got = await collect(
      lines(perf(`kmalloc: ${ALLOC}`), perf('kmalloc: call_site=f ptr=(null) bytes_req=8 bytes_alloc=8')),
    );
    expect(got).toMatchObject({ events: 1, dropped: { failedAllocs: 1 } });
  });

  test('a live address allocated again was freed unseen, by the cpu that got it', async () => {
    const got = await collect(
      lines(perf(`kmalloc: ${ALLOC}`, 1), perf(`kmalloc: ${ALLOC}`, 2), perf(FREE, 1)),
    );
    expect(got.log).toEqual(['1+1:10@0', '2-1', '2+2:10@0', '1-2']);
    expect(got.dropped.inferredFrees).toBe(1);
  });

  test('a free of an address never seen is dropped, and is no bad line', async () => {
    const got = await collect(lines(perf(FREE), perf(`kmalloc: ${ALLOC}`)));
    expect(got).toMatchObject({ events: 1, dropped: { unknownFrees: 1 }, bad: { count: 0 } });
  });

  test('addresses that differ in the upper or in the lower half only are different', async () => {
    const alloc = (ptr: string) => perf(`kmalloc: call_site=f ptr=${ptr} bytes_req=1`);
    const got = await collect(
      lines(alloc('0xffff888100000040'), alloc('0xffff888200000040'), alloc('0xffff888100000080')),
    );
    expect(got).toMatchObject({ allocations: 3, frees: 0 });
  });

  test('events of other kinds are counted', async () => {
    const got = await collect(
      lines(
        perf(`kmalloc: ${ALLOC}`),
        perf('mm_page_alloc: page=0xea000 pfn=0x199322 order=0 migratetype=1 gfp_flags=GFP_KERNEL'),
        ' cc 12 [000] 1.000001: sched:sched_switch: prev_comm=cc',
        ' cc 12 [000] 1.000002: other:kfree: ptr=0x40',
      ),
    );
    expect(got).toMatchObject({ events: 1, dropped: { otherEvents: 3 }, bad: { count: 0 } });
  });

  test.each([
    ['CPU:1 [LOST 1234 EVENTS]', 1234],
    ['CPU:0 [77 EVENTS DROPPED]', 77],
    ['  cc  12 [000]  PERF_RECORD_LOST lost 5', 5],
  ])('%s is counted in lostEvents', async (text, count) => {
    const got = await collect(lines(perf(`kmalloc: ${ALLOC}`), text));
    expect(got).toMatchObject({ events: 1, dropped: { lostEvents: count }, bad: { count: 0 } });
  });
});

describe('bad kernel lines', () => {
  const bads: [string, string, RegExp][] = [
    ['a line of something else', 'hello world', /not a line of perf script: "hello world"/],
    [
      'a negative size',
      perf('kmalloc: call_site=f ptr=0x80 bytes_req=-5 bytes_alloc=8'),
      /size -5 is not an integer/,
    ],
    ['a size over 2^31 - 1', perf('kmalloc: call_site=f ptr=0x80 bytes_req=2147483648'), /size 2147483648/],
    ['a size that is no number', perf('kmalloc: call_site=f ptr=0x80 bytes_req=many'), /size NaN/],
    ['no size', perf('kmalloc: call_site=f ptr=0x80'), /kmalloc without bytes_req=/],
    ['no ptr', perf('kfree: call_site=f'), /kfree without ptr=/],
    ['a ptr that is no address', perf('kfree: call_site=f ptr=(____ptrval____)'), /not an address/],
    ['a ptr of 17 digits', perf('kfree: call_site=f ptr=0x12345678123456789'), /not an address/],
    ['a cpu over 65535', ' cc 1 [065536] 1.000001: kmem:kfree: ptr=0x40', /cpu 65536/],
  ];

  test.each(bads)('%s is counted, named by its line, and skipped', async (_, bad, reason) => {
    const got = await collect(lines(perf(`kmalloc: ${ALLOC}`), bad, perf(FREE)));
    expect(got.bad).toEqual({ count: 1, firstLine: 2, reason: expect.stringMatching(reason) });
    expect(got.log).toEqual(['0+1:10@0', '0-1']);
  });

  test('patterns cost the length of a hostile line, not its square', async () => {
    const hostile = [
      '[1] ',
      '[1]',
      '1',
      '1.',
      ' ',
      '-1 ',
      'ptr= ',
      'bytes_req=',
      'bytes_req=a',
      '+ 0x1 ',
      'a: ',
      '[LOST 1',
    ];
    const heads = ['', perf('kmalloc: '), '@ '];
    const text = heads.flatMap((head) => hostile.map((part) => head + part.repeat(60_000 / part.length)));
    const start = performance.now();
    await collect(lines(perf(`kmalloc: ${ALLOC}`), ...text));
    await collect(lines('= Start', '@ a + 0x10 0x8', ...text));
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('recorded excerpts (Linux 6.18)', () => {
  // what tools/kconvert.py and grep count in the same files
  test.each([
    ['perf-script.txt', 'perf', 86, 60, { nullFrees: 31, unknownFrees: 3, inferredFrees: 0, otherEvents: 0 }],
    [
      'perf-script-F.txt',
      'perf',
      60,
      40,
      { nullFrees: 20, unknownFrees: 2, inferredFrees: 2, otherEvents: 0 },
    ],
    ['ftrace.txt', 'ftrace', 121, 64, { nullFrees: 1, unknownFrees: 0, inferredFrees: 0, otherEvents: 6 }],
  ])('%s is read without a bad line', async (file, format, events, allocations, dropped) => {
    const got = await readTrace(fixture(file), logger().sink, { strict: true });
    expect(got).toMatchObject({ format, kernel: true, events, allocations, dropped, bad: { count: 0 } });
  });
});
