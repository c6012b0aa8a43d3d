/**
 * client.ts — accesses of the workload itself, to its tables and to blocks it was given: like any other, but counted
 * apart from the allocator. The build gives these to workload/ (scripts/stepped.mjs).
 */
import * as access from './access.js';
import { by } from './tally.js';

export { mark } from './access.js';

export function ld32(word: number): number {
  by.client = true;
  const value = access.ld32(word);
  by.client = false;
  return value;
}

export function st32(word: number, to: number): number {
  by.client = true;
  access.st32(word, to);
  by.client = false;
  return to;
}

export function ld8(byte: number): number {
  by.client = true;
  const value = access.ld8(byte);
  by.client = false;
  return value;
}

export function st8(byte: number, to: number): number {
  by.client = true;
  access.st8(byte, to);
  by.client = false;
  return to;
}

export function ld64(dword: number): bigint {
  by.client = true;
  const value = access.ld64(dword);
  by.client = false;
  return value;
}

export function st64(dword: number, to: bigint): bigint {
  by.client = true;
  access.st64(dword, to);
  by.client = false;
  return to;
}

export function ldf(dword: number): number {
  by.client = true;
  const value = access.ldf(dword);
  by.client = false;
  return value;
}

export function stf(dword: number, to: number): number {
  by.client = true;
  access.stf(dword, to);
  by.client = false;
  return to;
}

export function load(word: number): number {
  return ld32(word);
}

export function store(word: number, value: number): void {
  by.client = true;
  access.atomicStore(word, value);
  by.client = false;
}
