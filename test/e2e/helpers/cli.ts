/**
 * cli.ts — smpalloc as a user runs it: dist/cli.js in a process of its own, without a shell, in a clean environment.
 *
 * Every run has a hard limit: a command that does not end by then is killed, and the test fails.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { parseRecord, type RunRecord } from '../../../src/report/record.js';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
export const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
if (!existsSync(cli)) throw new Error(`${cli} is missing: npm run build:js`);

const fixtures = new URL('../../fixtures/trace/', import.meta.url);
export const fixture = (name: string): string => fileURLToPath(new URL(name, fixtures));

const LIMIT_MS = 60_000;

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  /** standard input; default: none */
  input?: string | Uint8Array;
  cwd?: string;
  limitMs?: number;
}

/** What a program of ours may see: nothing of the test runner's own settings. */
export function environment(own: Record<string, string> = {}): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  return { PATH, HOME, TERM: 'xterm', ...(TMPDIR !== undefined && { TMPDIR }), ...own };
}

/** Any program, to its end. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { child, ended } = start(file, args, options);
  child.stdin!.end(options.input);
  return ended;
}

export function start(file: string, args: readonly string[], { env, cwd, limitMs = LIMIT_MS }: RunOptions = {}) {
  const child = spawn(file, args, { cwd: cwd ?? root, env: environment(env), stdio: 'pipe' });
  return { child, ended: end(child, `${file} ${args.join(' ')}`, limitMs) };
}

/** `smpalloc args`, to its end. */
export function smpalloc(args: string, options: RunOptions = {}): Promise<Ended> {
  return run(process.execPath, [cli, ...words(args)], options);
}

export function startSmpalloc(args: string, options: RunOptions = {}) {
  return start(process.execPath, [cli, ...words(args)], options);
}

/** The record of `smpalloc args --json`, as whoever reads records gets it. */
export async function record(args: string, options: RunOptions = {}): Promise<RunRecord & { code: number | null }> {
  const { code, stdout, stderr } = await smpalloc(`${args} --json`, options);
  expect(stdout, `no record; stderr: ${stderr}`).not.toBe('');
  return { ...parseRecord(stdout), code };
}

export const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');

/** Can `file` be run here? For tests that are skipped where it is missing. */
export function runs(file: string, ...args: string[]): boolean {
  try {
    execFileSync(file, args, { stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

/** Polls until `find` finds something. */
export async function until<T>(what: string, find: () => T | null | undefined | false, limitMs = 30_000): Promise<T> {
  for (const limit = Date.now() + limitMs; Date.now() < limit; ) {
    const found = find();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what}: not within ${limitMs} ms`);
}

function end(child: ChildProcess, what: string, limitMs: number): Promise<Ended> {
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', (piece: string) => {
      text[name] += piece;
    });
  }
  // a command may end without having read its input
  child.stdin!.on('error', () => {});
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${what}: not ended within ${limitMs} ms\n${text.stdout}\n${text.stderr}`));
    }, limitMs);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve({ code, ...text });
    });
  });
}
