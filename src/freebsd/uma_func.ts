/**
 * uma_func.ts — constructors, destructors, initialisers by number (UMAF_* of uma.ts).
 *
 *   init  the item enters the zone (or its slab is made)      may refuse: not 0
 *   ctor  it is handed out                                    may refuse: not 0
 *   dtor  it comes back
 *   fini  it leaves the zone (or its slab goes)
 *
 * Bound while modules are linked; a zone stores the number, so every CPU that touches the zone needs the binding.
 */

export interface UmaFunctions {
  /** @param udata what the caller of uma_zalloc_arg passed */
  readonly ctor?: (item: number, size: number, udata: number, flags: number) => number;
  readonly dtor?: (item: number, size: number, udata: number) => void;
  readonly init?: (item: number, size: number, flags: number) => number;
  readonly fini?: (item: number, size: number) => void;
}

const umaFuncs: UmaFunctions[] = [];

/** @param number UMAF_* @param functions those the number stands for */
export function umaFuncRegister(number: number, functions: UmaFunctions): void {
  umaFuncs[number] = functions;
}

/** @returns 0, or why not. Number 0 is no constructor. */
export function umaCtor(number: number, item: number, size: number, udata: number, flags: number): number {
  return number === 0 ? 0 : umaFuncs[number].ctor!(item, size, udata, flags);
}

export function umaDtor(number: number, item: number, size: number, udata: number): void {
  if (number !== 0) umaFuncs[number].dtor!(item, size, udata);
}

export function umaInit(number: number, item: number, size: number, flags: number): number {
  return number === 0 ? 0 : umaFuncs[number].init!(item, size, flags);
}

export function umaFini(number: number, item: number, size: number): void {
  if (number !== 0) umaFuncs[number].fini!(item, size);
}
