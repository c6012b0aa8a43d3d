/**
 * list.ts — lists of memory types: memstat_mtl_*, and the errors of a query (FreeBSD lib/libmemstat/memstat.c).
 *
 * A query fills an empty list, or updates the entries of one that was filled before, found by allocator and name in a
 * linear search: O(n²), as it was. A failed query leaves its list empty.
 */
import { ALLOCATOR_ANY, type Allocator, MEMTYPE_MAXNAME, MemoryType } from './type.js';

export const MEMSTAT_ERROR_UNDEFINED = 0;
export const MEMSTAT_ERROR_NOMEMORY = 1;
export const MEMSTAT_ERROR_VERSION = 2;
export const MEMSTAT_ERROR_PERMISSION = 3;
export const MEMSTAT_ERROR_TOOMANYCPUS = 4;
export const MEMSTAT_ERROR_DATAERROR = 5;
export const MEMSTAT_ERROR_KVM = 6;
export const MEMSTAT_ERROR_KVM_NOSYMBOL = 7;
export const MEMSTAT_ERROR_KVM_SHORTREAD = 8;

const TEXTS: Readonly<Record<number, string>> = {
  [MEMSTAT_ERROR_NOMEMORY]: 'Cannot allocate memory',
  [MEMSTAT_ERROR_VERSION]: 'Version mismatch',
  [MEMSTAT_ERROR_PERMISSION]: 'Permission denied',
  [MEMSTAT_ERROR_TOOMANYCPUS]: 'Too many CPUs',
  [MEMSTAT_ERROR_DATAERROR]: 'Data format error',
  [MEMSTAT_ERROR_KVM]: 'KVM error',
  [MEMSTAT_ERROR_KVM_NOSYMBOL]: 'KVM unable to find symbol',
  [MEMSTAT_ERROR_KVM_SHORTREAD]: 'KVM short read',
};

export class MemoryTypeList {
  head: MemoryType | null = null;
  error = MEMSTAT_ERROR_UNDEFINED;

  get empty(): boolean {
    return this.head === null;
  }

  /**
   * The entry of that name, made when there is none.
   * @param search false: the list was empty when the query began, so there is none
   */
  entry(allocator: Allocator, name: string, search: boolean): MemoryType {
    const short = name.slice(0, MEMTYPE_MAXNAME - 1);
    const found = search ? memstatMtlFind(this, allocator, short) : null;
    if (found) {
      found.reset();
      return found;
    }
    const type = new MemoryType(allocator, short);
    type.next = this.head;
    this.head = type;
    return type;
  }

  /** @returns what a query that failed returns */
  fail(error: number): -1 {
    memstatMtlFree(this);
    this.error = error;
    return -1;
  }

  *[Symbol.iterator](): Generator<MemoryType> {
    for (let type = this.head; type; type = type.next) yield type;
  }
}

export function memstatStrerror(error: number): string {
  return TEXTS[error] ?? 'Unknown error';
}

export function memstatMtlAlloc(): MemoryTypeList {
  return new MemoryTypeList();
}

export function memstatMtlFirst(list: MemoryTypeList): MemoryType | null {
  return list.head;
}

export function memstatMtlNext(type: MemoryType): MemoryType | null {
  return type.next;
}

/** @param allocator ALLOCATOR_ANY: whichever has one of that name */
export function memstatMtlFind(list: MemoryTypeList, allocator: Allocator, name: string): MemoryType | null {
  for (const type of list) {
    if ((allocator === ALLOCATOR_ANY || type.allocator === allocator) && type.name === name) return type;
  }
  return null;
}

/** Empties the list. */
export function memstatMtlFree(list: MemoryTypeList): void {
  list.head = null;
}

/** The error of the last query that failed. */
export function memstatMtlGeterror(list: MemoryTypeList): number {
  return list.error;
}
