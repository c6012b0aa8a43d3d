/** core_flag.ts — `--core FILE`: where the memory of a machine goes that panics, and how to look into it. */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { MachinePanic } from '../host/machine.js';
import { UsageError } from './exit.js';

export interface CoreFlags {
  core?: unknown;
}

export const CORE_OPTION = [
  '--core <FILE>', 'where the memory goes when a machine panics; read it with smpalloc ddb',
] as const;

/**
 * The file of --core, null without it.
 * @throws UsageError when it could not be written: said before the run that would need it
 */
export function coreFile({ core }: CoreFlags): string | null {
  if (core === undefined) return null;
  const path = String(Array.isArray(core) ? core.at(-1) : core);
  if (typeof core === 'boolean' || path === '') throw new UsageError('--core: a file name is missing');
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory()) throw new UsageError(`--core: ${path} is a folder; expected a file`);
  try {
    accessSync(there ? path : dirname(path), constants.W_OK);
  } catch (cause) {
    throw new UsageError(`--core: ${path} cannot be written: ${(cause as Error).message}`, { cause });
  }
  return path;
}

/** Writes the core dump of a panic, if it is one. @param file of --core @returns what to say of it */
export async function coreDump(error: unknown, file: string | null): Promise<string[]> {
  if (!(error instanceof MachinePanic)) return [];
  if (file === null) return ['to keep its memory: the same with --core vmcore, then smpalloc ddb vmcore'];
  try {
    await error.dumpCore(file);
  } catch (cause) {
    return [`its memory could not be written: ${(cause as Error).message}`];
  }
  return [`its memory is in ${file}; to look into it: smpalloc ddb ${file}`];
}
