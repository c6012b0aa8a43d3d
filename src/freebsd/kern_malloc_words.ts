/** kern_malloc_words.ts — where malloc(9)'s own words lie. */
import { KERN_MALLOC } from './kern_malloc.layout.js';
import { UMA } from './uma_int.js';

/** word index of struct kern_malloc */
export const KMALLOC = UMA + KERN_MALLOC;
