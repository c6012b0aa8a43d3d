/**
 * memstat.ts — smpalloc/memstat: libmemstat(3) for programs, over a live machine in this process (memorySource), one
 * behind a socket or a saved stream (openSource), a core dump (memstatKvm*).
 */
export { readCore } from './host/core.js';
export { type OpenSource, openSource } from './host/sysctl_source.js';
export * from './observe/memstat/index.js';
export { Memory } from './observe/memory.js';
export { mallocStream } from './observe/malloc_stream.js';
export { memorySource } from './observe/sysctl.js';
export { umaStream } from './observe/uma_stream.js';
export { vmstatM, vmstatZ } from './observe/vmstat.js';
