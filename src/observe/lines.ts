import type { Memory } from './memory.js';
export function lineNames(_memory: Memory): (line: number) => string { return () => 'x'; }
