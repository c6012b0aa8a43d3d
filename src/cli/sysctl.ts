/** sysctl.ts — smpalloc sysctl SOURCE NAME ...: values of a machine by name, as text or as the streams they are. */
import { writeFileSync } from 'node:fs';
import type { CAC } from 'cac';
import { SmpallocError } from '../base/errors.js';
import { didYouMean } from '../base/nearest.js';
import type { OpenSource } from '../host/sysctl_source.js';
import { SysctlError } from '../observe/memstat/source.js';
import { BINARY_NAMES } from '../observe/sysctl.js';
import { EXIT_OK, UsageError } from './exit.js';
import type { Session } from './session.js';
import { openFor } from './watch.js';

interface SysctlFlags {
  all?: boolean;
  output?: unknown;
  json?: boolean;
}

interface Value {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export function sysctlCommand(cli: CAC, session: Session): void {
  cli
    .command('sysctl <source> [...names]', 'Values by name: statistics streams, texts, counts, variables')
    .option('-a, --all', 'every name there is')
    .option('-o, --output <FILE>', 'write the value to a file; - is stdout')
    .option('--json', 'as JSON; streams in base64')
    .example('smpalloc sysctl /tmp/machine kern.malloc        # what sysctl kern.malloc printed in 2005')
    .example('smpalloc sysctl vmcore vm.zone_stats -o zones   # the stream, for vmstat, later')
    .example('smpalloc sysctl /tmp/machine kern.malloc_stats | xxd')
    .action((path: string, names: string[], flags: SysctlFlags) =>
      session.run(() => sysctl(path, names, flags, session)));
}

async function sysctl(path: string, names: readonly string[], flags: SysctlFlags, session: Session): Promise<number> {
  const file = outputFile(flags);
  if (names.length === 0 && !flags.all) throw new UsageError('sysctl: a name is missing; -a prints all there are');
  if (names.length > 0 && flags.all) throw new UsageError(`sysctl -a: '${names[0]}' is not expected; -a prints all`);
  if (file !== null && names.length !== 1) {
    throw new UsageError(`-o: ${names.length || 'all'} values; expected one name`);
  }
  const open = await openFor(path, session);
  try {
    const wanted = flags.all ? open.names : names;
    const values: Value[] = [];
    for (const name of wanted) values.push({ name, bytes: await ask(path, open, name) });
    print(values, flags, file);
    return EXIT_OK;
  } finally {
    open.close();
  }
}

function outputFile({ output }: SysctlFlags): string | null {
  if (output === undefined) return null;
  const path = String([output].flat().at(-1));
  if (typeof output === 'boolean' || path === '') throw new UsageError('-o: a file name is missing');
  return path;
}

async function ask(path: string, { source, names }: OpenSource, name: string): Promise<Uint8Array> {
  try {
    return await source.read(name);
  } catch (cause) {
    if (!(cause instanceof SysctlError)) throw cause;
    if (cause.errno !== 'ENOENT') throw new SmpallocError('ESMP_INPUT', `${path}: ${cause.message}`, { cause });
    throw new UsageError(`sysctl: no variable '${name}'; ${didYouMean(name, names)}-a prints all there are`);
  }
}

function print(values: readonly Value[], { json }: SysctlFlags, file: string | null): void {
  const [{ name, bytes }] = values as [Value];
  if (json) return void process.stdout.write(`${JSON.stringify(asJson(values), null, 2)}\n`);
  if (file !== null && file !== '-' && file !== '/dev/stdin') return save(file, bytes);
  // one stream for a program, or for a file: the bytes, and nothing else
  const raw = values.length === 1 && BINARY_NAMES.includes(name) && !process.stdout.isTTY;
  if (raw || file !== null) return void process.stdout.write(bytes);
  process.stdout.write(values.map(line).join(''));
}

function save(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(file, bytes);
  } catch (cause) {
    throw new UsageError(`-o: ${file} cannot be written: ${(cause as Error).message}`, { cause });
  }
}

function line({ name, bytes }: Value): string {
  if (BINARY_NAMES.includes(name)) return `${name}: ${bytes.length} bytes; -o FILE writes them\n`;
  const text = new TextDecoder().decode(bytes);
  // a text of lines begins on its own
  return text.includes('\n') && !text.startsWith('\n') ? `${name}:\n${text}` : `${name}: ${text.replace(/\n?$/, '\n')}`;
}

function asJson(values: readonly Value[]): Record<string, unknown> {
  return Object.fromEntries(values.map(({ name, bytes }) => [name, jsonValue(name, bytes)]));
}

function jsonValue(name: string, bytes: Uint8Array): unknown {
  if (BINARY_NAMES.includes(name)) return { base64: Buffer.from(bytes).toString('base64') };
  const text = new TextDecoder().decode(bytes);
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return /^[{[]/.test(text) ? JSON.parse(text) : text;
}
