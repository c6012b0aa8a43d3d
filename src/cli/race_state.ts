/** race_state.ts — --state: an exploration on disk, to go on with. Replaced as a whole, so it is never half a file. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { packageVersion } from '../host/root.js';
import type { Checkpoint } from '../lab/explore.js';
import { UsageError } from './exit.js';

const SCHEMA = 'smpalloc-race-state-1';

/** What has to be the same for going on: said in the message when it is not. */
export type Identity = Readonly<Record<string, string>>;

interface Saved {
  readonly schema: typeof SCHEMA;
  readonly smpalloc: string;
  readonly identity: Identity;
  readonly checkpoint: Checkpoint;
}

export class StateFile {
  readonly path: string;
  readonly #identity: Identity;

  constructor(path: string, identity: Identity) {
    this.path = path;
    this.#identity = { ...identity, smpalloc: packageVersion };
  }

  /** @throws UsageError when the file is of something else */
  read(): Checkpoint | undefined {
    if (!existsSync(this.path)) return undefined;
    let saved: Partial<Saved>;
    try {
      saved = JSON.parse(readFileSync(this.path, 'utf8'));
    } catch (cause) {
      throw new UsageError(`--state: ${this.path} cannot be read: ${(cause as Error).message}`);
    }
    const { schema, identity, checkpoint } = saved;
    if (schema !== SCHEMA || !identity || !checkpoint) {
      throw new UsageError(`--state: ${this.path} is no saved exploration`);
    }
    for (const [what, here] of Object.entries(this.#identity)) {
      if (identity[what] === here) continue;
      const there = `${this.path} is of ${what} '${identity[what] ?? ''}', not '${here}'`;
      throw new UsageError(`--state: ${there}; give the same, or another file`);
    }
    return checkpoint;
  }

  save(checkpoint: Checkpoint): void {
    const saved: Saved = { schema: SCHEMA, smpalloc: packageVersion, identity: this.#identity, checkpoint };
    const beside = `${this.path}.${process.pid}.tmp`;
    try {
      writeFileSync(beside, JSON.stringify(saved));
      renameSync(beside, this.path);
    } catch (cause) {
      throw new UsageError(`--state: ${this.path} cannot be written: ${(cause as Error).message}`);
    }
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}
