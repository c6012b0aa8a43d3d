/**
 * accessors.ts — memstat_get_*: what a program asks of an entry (FreeBSD lib/libmemstat/memstat.c).
 *
 * Numbers are bigints, u64. The caller's slots belong to whoever has the list: 16 pointers and 16 numbers an entry, and
 * as many a CPU; an update leaves them alone.
 */
import { type Allocator, MEMSTAT_MAXCALLER, type MemoryType, slot } from './type.js';

export const memstatGetName = (type: MemoryType): string => type.name;
export const memstatGetAllocator = (type: MemoryType): Allocator => type.allocator;
export const memstatGetCountlimit = (type: MemoryType): bigint => type.countlimit;
export const memstatGetByteslimit = (type: MemoryType): bigint => type.byteslimit;
export const memstatGetSizemask = (type: MemoryType): bigint => type.sizemask;
export const memstatGetSize = (type: MemoryType): bigint => type.size;
export const memstatGetMemalloced = (type: MemoryType): bigint => type.memalloced;
export const memstatGetMemfreed = (type: MemoryType): bigint => type.memfreed;
export const memstatGetNumallocs = (type: MemoryType): bigint => type.numallocs;
export const memstatGetNumfrees = (type: MemoryType): bigint => type.numfrees;
export const memstatGetBytes = (type: MemoryType): bigint => type.bytes;
export const memstatGetCount = (type: MemoryType): bigint => type.count;
export const memstatGetFree = (type: MemoryType): bigint => type.free;
export const memstatGetFailures = (type: MemoryType): bigint => type.failures;
export const memstatGetSleeps = (type: MemoryType): bigint => type.sleeps;
export const memstatGetZonefree = (type: MemoryType): bigint => type.zonefree;
export const memstatGetKegfree = (type: MemoryType): bigint => type.kegfree;

export const memstatGetPercpuMemalloced = (type: MemoryType, cpu: number): bigint => type.percpu(cpu).memalloced;
export const memstatGetPercpuMemfreed = (type: MemoryType, cpu: number): bigint => type.percpu(cpu).memfreed;
export const memstatGetPercpuNumallocs = (type: MemoryType, cpu: number): bigint => type.percpu(cpu).numallocs;
export const memstatGetPercpuNumfrees = (type: MemoryType, cpu: number): bigint => type.percpu(cpu).numfrees;
export const memstatGetPercpuSizemask = (type: MemoryType, cpu: number): bigint => type.percpu(cpu).sizemask;
export const memstatGetPercpuFree = (type: MemoryType, cpu: number): bigint => type.percpu(cpu).free;

const caller = (index: number): number => slot('index', index, MEMSTAT_MAXCALLER);

export function memstatGetCallerPointer(type: MemoryType, index: number): unknown {
  return type.callerPointer[caller(index)];
}

export function memstatSetCallerPointer(type: MemoryType, index: number, value: unknown): void {
  type.callerPointer[caller(index)] = value;
}

export function memstatGetCallerUint64(type: MemoryType, index: number): bigint {
  return type.callerUint64[caller(index)]!;
}

export function memstatSetCallerUint64(type: MemoryType, index: number, value: bigint): void {
  type.callerUint64[caller(index)] = value;
}

export function memstatGetPercpuCallerPointer(type: MemoryType, cpu: number, index: number): unknown {
  return type.percpu(cpu).callerPointer[caller(index)];
}

export function memstatSetPercpuCallerPointer(type: MemoryType, cpu: number, index: number, value: unknown): void {
  type.percpu(cpu).callerPointer[caller(index)] = value;
}

export function memstatGetPercpuCallerUint64(type: MemoryType, cpu: number, index: number): bigint {
  return type.percpu(cpu).callerUint64[caller(index)]!;
}

export function memstatSetPercpuCallerUint64(type: MemoryType, cpu: number, index: number, value: bigint): void {
  type.percpu(cpu).callerUint64[caller(index)] = value;
}
