/** How a run ends: what is printed where, and the exit code. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SmpallocError } from '../../src/base/errors.js';
import { failure, UsageError } from '../../src/cli/exit.js';
import { colorsFor } from '../../src/cli/colors.js';
import { output } from '../../src/cli/output.js';
import { Session } from '../../src/cli/session.js';
import { MachinePanic } from '../../src/host/machine.js';
import { TraceError } from '../../src/host/trace/errors.js';
import { parseRecord } from '../../src/report/record.js';
import type { Row } from '../../src/suite/claims.js';
import { NOT_AUDITED } from '../../src/suite/suite.js';
import { ipiRow, loopRow, suiteOptions } from '../helpers/rows.js';

const failed = [ipiRow({ free: 'ipi' }), ipiRow({ free: 'rchunks', reduction: 2 })];

describe('a run that ended', () => {
  const out: string[] = [];
  const err: string[] = [];
  beforeEach(() => {
    for (const [stream, lines] of [[process.stdout, out], [process.stderr, err]] as const) {
      lines.length = 0;
      vi.spyOn(stream, 'write').mockImplementation((text) => {
        lines.push(String(text));
        return true;
      });
    }
  });
  afterEach(() => vi.restoreAllMocks());

  const end = (rows: readonly Row[], own = {}, flags = {}) => output(rows, 'bench', suiteOptions(own), flags);

  test('with every claim and audit right is 0', async () => {
    expect(await end([loopRow()])).toBe(0);
    expect(out.join('')).toMatch(/^PASS {2}every run/m);
  });

  test('with a claim that failed is 1', async () => {
    expect(await end(failed)).toBe(1);
    expect(out.join('')).toMatch(/^FAIL {2}z_RChunks/m);
  });

  test('with an audit that failed is 1', async () => {
    expect(await end([loopRow({ audit: 'pages: 1 lost' })])).toBe(1);
  });

  test('interrupted is 130 whatever had failed, and says so', async () => {
    const signal = AbortSignal.abort();
    expect(await end([...failed, loopRow({ audit: NOT_AUDITED })], { signal })).toBe(130);
    expect(out.join('')).toContain('interrupted: this is what was known');
  });

  test('interrupted before anything was known is still a record', async () => {
    expect(await end([], { signal: AbortSignal.abort() }, { json: true })).toBe(130);
    expect(parseRecord(out.join(''))).toMatchObject({ complete: false, rows: [], claims: [] });
  });

  test('as JSON is a record and nothing else on stdout', async () => {
    expect(await end(failed, {}, { json: true })).toBe(1);
    const record = parseRecord(out.join(''));
    expect(record).toMatchObject({ complete: true, config: { command: 'bench', seed: 1 } });
    expect(record.claims.map(({ pass }) => pass)).toEqual([false, true]);
  });

  test('puts its warnings on stderr, and none when quiet', async () => {
    await end([loopRow()], { invariants: true });
    expect(err.join('')).toMatch(/^warning: invariants flavour/);
    expect(out.join('')).not.toContain('warning');
    err.length = 0;
    await end([loopRow()], { invariants: true }, { quiet: true });
    expect(err).toEqual([]);
  });
});

describe('a run that failed', () => {
  const code = (error: unknown) => failure(error, 'bench').code;

  test.each([
    ['ESMP_OPTION', 2], ['ESMP_INPUT', 2], ['ESMP_TIMEOUT', 4], ['ESMP_HALTED', 3], ['ESMP_PANIC', 3],
    ['ESMP_PHASE', 3], ['ESMP_UNBOUND', 3],
  ] as const)('with %s is %i, and says its message', (name, expected) => {
    expect(failure(new SmpallocError(name, 'why'), 'bench')).toEqual({ code: expected, lines: ['why'] });
  });

  test('for the input or its use is 2', () => {
    expect(code(new UsageError('what'))).toBe(2);
    expect(code(new TraceError('ETRACE_BOMB', 'x', 0, 'a bomb'))).toBe(2);
    expect(failure(new TraceError('ETRACE_STRICT', 'x.txt', 7, 'bad'), '').lines).toEqual(['x.txt:7: bad']);
  });

  test('in a panic is 3, with the report and the line that shows it again', () => {
    const panic = new MachinePanic(5, ['panic: slaballoc: corrupted zone', 'cpuid = 1']);
    expect(failure(panic, 'bench ring --seed 7')).toEqual({
      code: 3,
      lines: ['panic: slaballoc: corrupted zone', 'cpuid = 1', '', 'to see it again: smpalloc bench ring --seed 7'],
    });
  });

  test("through a bug of ours is nobody else's fault: 3, with the stack", () => {
    const { code: bug, lines } = failure(new TypeError('x is undefined'), 'bench');
    expect(bug).toBe(3);
    expect(lines[0]).toMatch(/^a bug in smpalloc: TypeError: x is undefined\n +at /);
    expect(failure('words', 'bench').lines[0]).toContain('words');
  });
});

describe('^C', () => {
  const listeners = process.listeners('SIGINT');
  let now = 1000;
  const exit = vi.fn();
  beforeEach(() => {
    exit.mockClear();
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    vi.spyOn(process, 'exit').mockImplementation(exit as never);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    for (const listener of process.listeners('SIGINT')) {
      if (!listeners.includes(listener)) process.off('SIGINT', listener);
    }
  });

  test('is heard once though npm and the terminal both send it; a second one leaves', () => {
    const session = new Session(['bench']);
    process.emit('SIGINT');
    now += 5;
    process.emit('SIGINT');
    expect(session.signal.aborted).toBe(true);
    expect(exit).not.toHaveBeenCalled();
    now += 500;
    process.emit('SIGINT');
    expect(exit).toHaveBeenCalledWith(130);
  });

  test('the command line is kept as a shell would want it again', () => {
    const { command } = new Session(['replay', 'my trace.gz', "--tunable=it's", '--free', 'ipi,rbatch']);
    expect(command).toBe("replay 'my trace.gz' '--tunable=it'\\''s' --free ipi,rbatch");
  });
});

describe('colours', () => {
  const stream = (isTTY: boolean) => ({ isTTY }) as NodeJS.WriteStream;
  afterEach(() => vi.unstubAllEnvs());
  const env = (own: Record<string, string>) => {
    for (const name of ['NO_COLOR', 'FORCE_COLOR', 'CI', 'TERM']) vi.stubEnv(name, own[name] ?? '');
  };

  test.each([
    ['a terminal', true, {}, true],
    ['a pipe', false, {}, false],
    ['a pipe in CI', false, { CI: 'true' }, false],
    ['a dumb terminal', true, { TERM: 'dumb' }, false],
    ['a terminal and NO_COLOR', true, { NO_COLOR: '1' }, false],
    ['a pipe and FORCE_COLOR', false, { FORCE_COLOR: '1' }, true],
    ['a terminal and FORCE_COLOR=0', true, { FORCE_COLOR: '0' }, false],
    ['NO_COLOR and FORCE_COLOR', true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  ])('%s', (_, isTTY, own, colored) => {
    env(own);
    expect(colorsFor(stream(isTTY)).red('x') !== 'x').toBe(colored);
  });
});
