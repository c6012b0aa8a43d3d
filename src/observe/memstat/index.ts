/** index.ts — libmemstat(3), of FreeBSD's lib/libmemstat: statistics of a machine's memory types, for programs. */
export * from './accessors.js';
export { memstatKvmAll, memstatSysctlAll } from './all.js';
export {
  MEMSTAT_ERROR_DATAERROR, MEMSTAT_ERROR_KVM, MEMSTAT_ERROR_KVM_NOSYMBOL, MEMSTAT_ERROR_KVM_SHORTREAD,
  MEMSTAT_ERROR_NOMEMORY, MEMSTAT_ERROR_PERMISSION, MEMSTAT_ERROR_TOOMANYCPUS, MEMSTAT_ERROR_UNDEFINED,
  MEMSTAT_ERROR_VERSION, memstatMtlAlloc, memstatMtlFind, memstatMtlFirst, memstatMtlFree, memstatMtlGeterror,
  memstatMtlNext, memstatStrerror, MemoryTypeList,
} from './list.js';
export { memstatKvmMalloc, memstatParseMalloc, memstatSysctlMalloc } from './malloc.js';
export { SysctlError, type SysctlErrno, type SysctlSource } from './source.js';
export {
  ALLOCATOR_ANY, ALLOCATOR_MALLOC, ALLOCATOR_UMA, ALLOCATOR_UNKNOWN, type Allocator, MEMSTAT_MAXCALLER,
  MEMSTAT_MAXCPU, MEMTYPE_MAXNAME, MemoryType, MemoryTypeCpu,
} from './type.js';
export { memstatKvmUma, memstatParseUma, memstatSysctlUma } from './uma.js';
