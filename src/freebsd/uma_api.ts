/** uma_api.ts — uma(9) and malloc(9) as their users see them: what engine.ts offers embedders, and scenarios use. */
export { free, kmemZone, malloc } from './kern_malloc.js';
export { realloc, reallocf } from './kern_realloc.js';
export { moduleInit, moduleType, moduleUninit } from './malloc_abi.js';
export { mallocLastFail } from './malloc_fail.js';
export * from './uma.js';
export { umaZallocArg, umaZfreeArg } from './uma_core.js';
export { umaReclaim, zoneDrain, zoneTimeout } from './uma_drain.js';
export { umaFuncRegister, type UmaFunctions } from './uma_func.js';
export {
  umaFindRefcnt, umaPrealloc, umaZcreate, umaZdestroy, umaZoneExhausted, umaZoneSetFini, umaZoneSetInit,
  umaZoneSetMax, umaZoneSetObj, umaZoneSetZfini, umaZoneSetZinit, umaZsecondCreate, type ZoneArgs,
} from './uma_zone.js';
