/** sysctl.ts — the slab allocator's counters by name: word offsets of doubles in SLGlobalData. */
import {
  SLC_BIGALLOC, SLC_CASFAILS, SLC_CASTRIES, SLC_DRAINED, SLC_GENALLOC, SLC_REMOTE, SLC_SIGNALS, SLC_ZONES,
  SLC_ZONES_FREED, SLC_ZONES_PEAK,
} from './slaballoc.layout.js';

export const SL_COUNTERS: Readonly<Record<string, number>> = {
  'kern.zone_big_alloc': SLC_BIGALLOC,
  'kern.zone_gen_alloc': SLC_GENALLOC,
  'kern.slab.zones': SLC_ZONES,
  'kern.slab.zones_peak': SLC_ZONES_PEAK,
  'kern.slab.zones_freed': SLC_ZONES_FREED,
  'kern.slab.remote_frees': SLC_REMOTE,
  'kern.slab.signals': SLC_SIGNALS,
  'kern.slab.cas_tries': SLC_CASTRIES,
  'kern.slab.cas_fails': SLC_CASFAILS,
  'kern.slab.drained': SLC_DRAINED,
};
