/**
 * superblock.layout.ts — page 0: what the machine is.
 *
 *   word  0 ┌──────────────────────────────┐
 *           │ identity, boot options       │ const   lines 0-1
 *        32 │ where every area starts      │ const   lines 2-3
 *        64 │ the panic record             │ atomic  line 4: first CAS wins, never cleared
 *        80 │ stop word, boot state, gang  │ atomic  line 5
 *        96 │ tunables                     │ const   line 6
 *       112 │ exception text of a panic    │ written once by the host after the panic, lines 7-24
 *       400 │ tunables, defects            │ const   line 25
 *       416 └──────────────────────────────┘
 *
 * Address 0 is NULL; the superblock is where it points, so a stray store through NULL hits the magic and is seen.
 * Written by the host before the first CPU starts; `const` words never change afterwards.
 */
import { struct } from '../base/struct.js';

export const SB_MAGIC = 0;
export const SB_VERSION = 1;
/** physical memory in pages of 4096 bytes */
export const SB_NPAGES = 2;
export const SB_NCPU = 3;
/** STATS_*, FREE_*, MTX_* of base/policy */
export const SB_STATS = 4;
export const SB_FREE = 5;
export const SB_MUTEX = 6;
/** polls a signal is delayed, or SIGNAL_TICK */
export const SB_SIGNAL = 7;
export const SB_SEED = 8;
/** 1: this machine runs the invariants flavour (zones carry bitmaps) */
export const SB_INVARIANTS = 9;
/** events per CPU ring, 0: ktr off */
export const SB_KTR_ENTRIES = 10;
/** messages per IPI FIFO, a power of two */
export const SB_IPIQ_FIFO = 11;
/** bytes of a zone, a power of two */
export const SB_ZONE_SIZE = 12;
/** of the CPUs, those the host started itself; the rest are attached by the user's workers */
export const SB_NHOSTCPU = 13;
/** word 14 stays 0: a malloc_type at NULL has its ks_handle there (kern/malloc_type.layout.ts) */
/** ALLOC_* of base/policy */
export const SB_ALLOC = 15;

/** byte addresses of the areas */
export const SB_INTR = 32;
export const SB_GD = 33;
export const SB_IPIQ = 34;
export const SB_KTR = 35;
export const SB_VM = 36;
export const SB_PGA = 37;
export const SB_KMU = 38;
export const SB_SLGD = 39;
export const SB_ZINDEX = 40;
export const SB_MALLOC = 41;
/** first page the page allocator owns; everything below is the kernel's image */
export const SB_FIRST_PAGE = 42;
export const SB_UMA = 43;
export const SB_MSGBUF = 44;
export const SB_MPROF = 45;

export const SB_PANIC = 64;
export const SB_PANIC_CPU = 65;
export const SB_PANIC_A = 66;
export const SB_PANIC_B = 67;
export const SB_PANIC_C = 68;
export const SB_PANIC_D = 69;

/** 1: every CPU leaves as soon as it looks */
export const SB_STOP = 80;
/** number of CPUs that finished kernel start-up */
export const SB_BOOTED = 81;
/** CPUs inside a phase */
export const SB_NRUNNING = 82;
/** gang barrier: arrivals of the current generation, and the generation */
export const SB_GANG_COUNT = 83;
export const SB_GANG_GEN = 84;
/** seconds since boot (time_uptime), kept by the host's clock; stands still where nobody keeps it */
export const SB_UPTIME = 85;

/** tunables, set at boot, readable by name (kern/sysctl.ts) */
export const SB_ZONE_CACHE = 96;
export const SB_MALLOC_PATTERN = 97;
export const SB_RBATCH = 98;
export const SB_IPIQ_TIMEOUT = 99;
/** malloc(9) over UMA: sizes of kmem_map in bytes, 0: not set */
export const SB_KMEM_SIZE = 100;
export const SB_KMEM_SIZE_MIN = 101;
export const SB_KMEM_SIZE_MAX = 102;
export const SB_KMEM_SIZE_SCALE = 103;
/** vm.kmem_size by its old name, kern.vm.kmem.size */
export const SB_KMEM_SIZE_OLD = 104;
export const SB_BOOT_PAGES = 105;
/** debug layers */
export const SB_TRASH = 106;
export const SB_UMA_DBG = 107;
export const SB_FAILURE_RATE = 108;
export const SB_SOFT_CRITICAL = 109;
export const SB_PROFILE = 110;
export const SB_DIAGNOSTIC = 111;

/** exception text: byte length, then UTF-8 */
export const SB_EXCEPTION = 112;
export const SB_EXCEPTION_BYTES = 1148;
/** tunables, continued */
export const SB_NOSLEEPWITHLOCKS = 400;
export const SB_LOWMEM = 401;
/** fixes taken out, DEFECT_WORDS of base/defects.ts; always 0 in the release flavour */
export const SB_DEFECTS = 402;
export const SB_WORDS = 416;

export const SUPERBLOCK_MAGIC = 0x61706d73; // 'smpa'
export const SUPERBLOCK_VERSION = 3;

export const SUPERBLOCK = /* @__PURE__ */ struct(
  'superblock',
  SB_WORDS,
  ['const', 'const', 'const', 'const', 'atomic', 'atomic', 'const', 'const'],
  {
    SB_MAGIC, SB_VERSION, SB_NPAGES, SB_NCPU, SB_STATS, SB_FREE, SB_MUTEX, SB_SIGNAL, SB_SEED, SB_INVARIANTS,
    SB_KTR_ENTRIES, SB_IPIQ_FIFO, SB_ZONE_SIZE, SB_NHOSTCPU, SB_ALLOC, SB_INTR, SB_GD, SB_IPIQ, SB_KTR,
    SB_VM, SB_PGA, SB_KMU, SB_SLGD, SB_ZINDEX, SB_MALLOC, SB_FIRST_PAGE, SB_UMA, SB_MSGBUF, SB_MPROF, SB_PANIC,
    SB_PANIC_CPU, SB_PANIC_A, SB_PANIC_B, SB_PANIC_C, SB_PANIC_D, SB_STOP, SB_BOOTED, SB_NRUNNING, SB_GANG_COUNT,
    SB_GANG_GEN, SB_UPTIME, SB_ZONE_CACHE, SB_MALLOC_PATTERN, SB_RBATCH, SB_IPIQ_TIMEOUT, SB_KMEM_SIZE,
    SB_KMEM_SIZE_MIN, SB_KMEM_SIZE_MAX, SB_KMEM_SIZE_SCALE, SB_KMEM_SIZE_OLD, SB_BOOT_PAGES, SB_TRASH, SB_UMA_DBG,
    SB_FAILURE_RATE, SB_SOFT_CRITICAL, SB_PROFILE, SB_DIAGNOSTIC, SB_EXCEPTION, SB_NOSLEEPWITHLOCKS, SB_LOWMEM,
    SB_DEFECTS,
  },
);
