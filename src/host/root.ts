/** root.ts — finding this package's files, from a bundle in dist/ as from the sources. */
import { existsSync, readFileSync } from 'node:fs';
import { ALLOC_NAMES } from '../base/policy.js';
import { SB_ALLOC, SB_INVARIANTS } from '../hw/superblock.layout.js';

function findRoot(): URL {
  for (let here = new URL('.', import.meta.url); ; here = new URL('..', here)) {
    const manifest = new URL('package.json', here);
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'smpalloc') return here;
    if (here.pathname === '/') throw new Error('smpalloc: package.json not found above the code');
  }
}

/** Folder of package.json, with a slash at its end. */
export const packageRoot: URL = findRoot();

/** @param file path below dist/, such as 'job.js' */
export function distUrl(file: string): URL {
  return new URL(`dist/${file}`, packageRoot);
}

export const packageVersion: string = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')).version;

/**
 * The engine's bundle for a machine: its allocator's, in its flavour.
 * @param heap its memory
 * @param file such as 'engine.js'
 */
export function engineUrl(heap: SharedArrayBuffer, file: string): URL {
  const words = new Int32Array(heap);
  const flavour = words[SB_INVARIANTS] !== 0 ? 'invariants' : 'release';
  return distUrl(`${ALLOC_NAMES[words[SB_ALLOC]!]}/${flavour}/${file}`);
}
