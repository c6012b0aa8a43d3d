/*
 * peers.c -- the five loops of the benches over the malloc of this process
 *
 * The C twin of the workloads in src/workload: same PRNG, same sizes, same order of free and malloc, so that
 * the two can stand in one table.  Plain it measures glibc; under LD_PRELOAD the allocator preloaded, and the
 * JSON line says which object malloc came from, because ld.so only warns about a preload it could not do.
 *
 *   peers WORKLOAD [OPS] [--threads N] [--rounds R] [--seed S]
 *
 * One untimed pass warms up, R passes are timed; the PRNG and the live blocks go on from pass to pass.
 * Built with -O2 -pthread -fno-builtin-malloc -fno-builtin-free: without the last two the compiler may drop a
 * malloc whose block goes straight to free.  bench/peers/README.md says what each figure means.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- parameters: the same numbers as in README.md and on the TypeScript side */

enum {
  PAIR_SIZE = 64,

  LOCAL_SLOTS = 1024, /* a power of two: the slot is x & 1023 */
  LOCAL_MIN = 16,
  LOCAL_SPAN = 1009, /* 16..1024 */

  LARSON_SLOTS = 5000,
  LARSON_MIN = 8,
  LARSON_SPAN = 992, /* 8..999 */
  LARSON_LAPS = 10,  /* a generation replaces LAPS * SLOTS blocks */

  XMALLOC_SIZE = 64,
  XMALLOC_BATCH = 4096,
  XMALLOC_LIMIT = 100, /* batches on the stack before a producer waits */

  RING_SIZE = 64,
  RING_DEPTH = 1000,

  SIZE_SHIFT = 10, /* the second number taken from one draw is x >> 10 */

  PAIR_OPS = 10000000,
  LOCAL_OPS = 5000000,
  LARSON_OPS = 20,   /* generations */
  XMALLOC_OPS = 200, /* batches of one producer */
  RING_OPS = 2000000,

  MAX_THREADS = 64,
  MAX_ROUNDS = 1000,
  LINE = 128, /* two lines: the prefetcher fetches neighbours in pairs */
};

struct worker {
  alignas(LINE) uint32_t id;
  uint32_t x;          /* PRNG state */
  uint32_t generation; /* larson: handovers so far */
  uint64_t goal;       /* xmalloc: batches taken by all consumers when this pass is over */
  uint32_t put, put_pos, got, got_pos; /* ring: my ends of the two rings */
  int64_t t0, t1;
};

/* The harness's own memory is static: the allocator under test serves the workload and nothing else. */
static struct worker workers[MAX_THREADS];
static uint32_t threads = 1;
static uint64_t ops;
static uint32_t rounds = 5;
static double ns_per_op[MAX_ROUNDS];
static pthread_barrier_t barrier;

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Blocks: with two CPUs and other load a spinning barrier would eat the time of the thread it waits for. */
static void meet(void) {
  if (threads > 1) pthread_barrier_wait(&barrier);
}

static inline uint32_t next(uint32_t x) {
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return x;
}

/* No check for NULL: out of memory is a fault here, and the caller sees the signal. */
static inline void touch(void *p, uint32_t i) { *(volatile uint32_t *)p = i; }

static void nothing(struct worker *w) { (void)w; }

/* ---- pair: malloc and free of one block */

static void pair_pass(struct worker *w) {
  (void)w;
  for (uint64_t i = 0; i < ops; i++) {
    void *p = malloc(PAIR_SIZE);
    touch(p, (uint32_t)i);
    free(p);
  }
}

/* ---- local: replace a random one of 1024 live blocks */

static struct {
  alignas(LINE) void *slot[LOCAL_SLOTS];
} locals[MAX_THREADS];

static void local_pass(struct worker *w) {
  void **slots = locals[w->id].slot;
  uint32_t x = w->x;
  for (uint64_t i = 0; i < ops; i++) {
    x = next(x);
    uint32_t slot = x & (LOCAL_SLOTS - 1);
    uint32_t size = LOCAL_MIN + (x >> SIZE_SHIFT) % LOCAL_SPAN;
    if (slots[slot] != NULL) free(slots[slot]);
    void *p = malloc(size);
    touch(p, (uint32_t)i);
    slots[slot] = p;
  }
  w->x = x;
}

static void local_end(struct worker *w) {
  for (uint32_t i = 0; i < LOCAL_SLOTS; i++) free(locals[w->id].slot[i]);
}

/* ---- larson: slot arrays that change hands, so that survivors are freed by another thread */

static struct {
  alignas(LINE) void *slot[LARSON_SLOTS];
} larsons[MAX_THREADS];

/* Array k goes on to thread k + 1, so in generation g thread t holds array t - g. */
static void **larson_held(const struct worker *w) {
  return larsons[(w->id + threads - w->generation % threads) % threads].slot;
}

static inline void *larson_block(uint32_t x) {
  uint32_t *p = malloc(LARSON_MIN + x % LARSON_SPAN);
  touch(p, x);
  touch(p + 1, x);
  return p;
}

static void larson_fill(struct worker *w) {
  void **slots = larson_held(w);
  for (uint32_t i = 0; i < LARSON_SLOTS; i++) {
    w->x = next(w->x);
    slots[i] = larson_block(w->x);
  }
}

static void larson_pass(struct worker *w) {
  uint32_t x = w->x;
  for (uint64_t g = 0; g < ops; g++) {
    void **slots = larson_held(w);
    for (uint32_t i = 0; i < LARSON_LAPS * LARSON_SLOTS; i++) {
      x = next(x);
      uint32_t slot = (x >> SIZE_SHIFT) % LARSON_SLOTS;
      free(slots[slot]);
      slots[slot] = larson_block(x);
    }
    w->generation++;
    meet();
  }
  w->x = x;
}

static void larson_end(struct worker *w) {
  void **slots = larson_held(w);
  for (uint32_t i = 0; i < LARSON_SLOTS; i++) free(slots[i]);
}

/* ---- xmalloc: batches over one locked stack, every free is remote */

struct batch {
  struct batch *next;
  void *block[XMALLOC_BATCH];
};

static struct {
  pthread_mutex_t lock;
  pthread_cond_t not_empty, not_full;
  struct batch *top;
  uint32_t depth;
  uint64_t taken; /* since the start, all consumers */
} stack = {.lock = PTHREAD_MUTEX_INITIALIZER,
           .not_empty = PTHREAD_COND_INITIALIZER,
           .not_full = PTHREAD_COND_INITIALIZER};

static void xmalloc_produce(void) {
  for (uint64_t n = 0; n < ops; n++) {
    struct batch *b = malloc(sizeof *b);
    for (uint32_t i = 0; i < XMALLOC_BATCH; i++) {
      b->block[i] = malloc(XMALLOC_SIZE);
      touch(b->block[i], i);
    }
    pthread_mutex_lock(&stack.lock);
    while (stack.depth == XMALLOC_LIMIT) pthread_cond_wait(&stack.not_full, &stack.lock);
    b->next = stack.top;
    stack.top = b;
    stack.depth++;
    pthread_cond_signal(&stack.not_empty);
    pthread_mutex_unlock(&stack.lock);
  }
}

static void xmalloc_consume(uint64_t goal) {
  for (;;) {
    pthread_mutex_lock(&stack.lock);
    while (stack.top == NULL && stack.taken != goal) pthread_cond_wait(&stack.not_empty, &stack.lock);
    struct batch *b = stack.top;
    if (b != NULL) {
      stack.top = b->next;
      stack.depth--;
      /* The other consumers may be asleep, and nothing will be pushed any more. */
      if (++stack.taken == goal) pthread_cond_broadcast(&stack.not_empty);
      pthread_cond_signal(&stack.not_full);
    }
    pthread_mutex_unlock(&stack.lock);
    if (b == NULL) return;
    for (uint32_t i = 0; i < XMALLOC_BATCH; i++) free(b->block[i]);
    free(b);
  }
}

static void xmalloc_pass(struct worker *w) {
  uint32_t producers = threads / 2;
  w->goal += producers * ops;
  if (w->id < producers) xmalloc_produce();
  else xmalloc_consume(w->goal);
}

/* ---- ring: thread c frees the blocks of thread c - 1 */

static struct ring {
  alignas(LINE) _Atomic uint32_t put; /* written by the sender only */
  alignas(LINE) _Atomic uint32_t got; /* written by the receiver only */
  alignas(LINE) void *slot[RING_DEPTH];
} rings[MAX_THREADS];

/* Frees what had arrived when it was called; the rest waits, or a fast sender would keep us here. */
static uint32_t ring_drain(struct worker *w, struct ring *in) {
  uint32_t put = atomic_load_explicit(&in->put, memory_order_acquire);
  uint32_t n = put - w->got;
  if (n == 0) return 0;
  while (w->got != put) {
    free(in->slot[w->got_pos]);
    if (++w->got_pos == RING_DEPTH) w->got_pos = 0;
    w->got++;
  }
  atomic_store_explicit(&in->got, put, memory_order_release);
  return n;
}

static void ring_pass(struct worker *w) {
  struct ring *out = &rings[w->id];
  struct ring *in = &rings[(w->id + threads - 1) % threads];
  uint64_t freed = 0;
  for (uint64_t i = 0; i < ops; i++) {
    void *p = malloc(RING_SIZE);
    touch(p, (uint32_t)i);
    /* A full ring: go on freeing, or a circle of full rings would stand still. */
    while (w->put - atomic_load_explicit(&out->got, memory_order_acquire) == RING_DEPTH) {
      uint32_t n = ring_drain(w, in);
      if (n == 0) sched_yield();
      freed += n;
    }
    out->slot[w->put_pos] = p;
    if (++w->put_pos == RING_DEPTH) w->put_pos = 0;
    atomic_store_explicit(&out->put, ++w->put, memory_order_release);
    freed += ring_drain(w, in);
  }
  while (freed < ops) {
    uint32_t n = ring_drain(w, in);
    if (n == 0) sched_yield();
    freed += n;
  }
}

/* ---- the run */

static const struct workload {
  const char *name;
  uint64_t ops;       /* default of OPS */
  uint32_t scale;     /* operations one thread does for each of OPS */
  int paired;         /* needs an even number of threads */
  void (*begin)(struct worker *w);
  void (*pass)(struct worker *w);
  void (*end)(struct worker *w);
} workloads[] = {
  {"pair", PAIR_OPS, 1, 0, nothing, pair_pass, nothing},
  {"local", LOCAL_OPS, 1, 0, nothing, local_pass, local_end},
  {"larson", LARSON_OPS, LARSON_LAPS * LARSON_SLOTS, 0, larson_fill, larson_pass, larson_end},
  {"xmalloc", XMALLOC_OPS, XMALLOC_BATCH, 1, nothing, xmalloc_pass, nothing},
  {"ring", RING_OPS, 1, 0, nothing, ring_pass, nothing},
};
static const struct workload *workload;

/* Wall time of a pass: from the first thread that starts to the last that ends. */
static double pass_ns(void) {
  int64_t t0 = workers[0].t0, t1 = workers[0].t1;
  for (uint32_t i = 1; i < threads; i++) {
    if (workers[i].t0 < t0) t0 = workers[i].t0;
    if (workers[i].t1 > t1) t1 = workers[i].t1;
  }
  return (double)(t1 - t0) / ((double)ops * workload->scale);
}

static void *run(void *arg) {
  struct worker *w = arg;
  workload->begin(w);
  for (uint32_t r = 0; r <= rounds; r++) {
    meet();
    w->t0 = now_ns();
    workload->pass(w);
    w->t1 = now_ns();
    meet();
    /* Nobody writes t0 again before thread 0 has come to the barrier above. */
    if (w->id == 0 && r > 0) ns_per_op[r - 1] = pass_ns();
  }
  workload->end(w);
  return NULL;
}

static _Noreturn void usage(const char *why) {
  fprintf(stderr,
          "peers: %s\n"
          "usage: peers pair|local|larson|xmalloc|ring [OPS] [--threads 1..%d] [--rounds 1..%d] [--seed S]\n",
          why, MAX_THREADS, MAX_ROUNDS);
  exit(2);
}

static uint64_t number(const char *text, uint64_t min, uint64_t max, const char *why) {
  char *end;
  if (*text < '0' || *text > '9') usage(why);
  unsigned long long n = strtoull(text, &end, 10);
  if (*end != '\0' || n < min || n > max) usage(why);
  return n;
}

int main(int argc, char **argv) {
  static const struct option options[] = {
    {"threads", required_argument, NULL, 't'},
    {"rounds", required_argument, NULL, 'r'},
    {"seed", required_argument, NULL, 's'},
    {NULL, 0, NULL, 0},
  };
  uint32_t seed = 1;
  for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (c == 't') threads = (uint32_t)number(optarg, 1, MAX_THREADS, "bad --threads");
    else if (c == 'r') rounds = (uint32_t)number(optarg, 1, MAX_ROUNDS, "bad --rounds");
    else if (c == 's') seed = (uint32_t)number(optarg, 0, UINT32_MAX, "bad --seed");
    else usage("unknown option");
  }
  if (optind == argc || argc - optind > 2) usage("one workload is needed");
  for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++) {
    if (strcmp(argv[optind], workloads[i].name) == 0) workload = &workloads[i];
  }
  if (workload == NULL) usage("no such workload");
  if (workload->paired && threads % 2 != 0) usage("this workload needs an even number of threads");
  ops = argc - optind == 2 ? number(argv[optind + 1], 1, UINT32_MAX, "bad OPS") : workload->ops;

  for (uint32_t i = 0; i < threads; i++) {
    uint32_t x = seed * 0x9e3779b9u + (i + 1) * 0x85ebca6bu;
    workers[i].id = i;
    workers[i].x = x != 0 ? x : 1;
  }
  if (threads == 1) {
    /* No thread is started: allocators that leave out their locks in such a process may do so. */
    run(&workers[0]);
  } else {
    pthread_t handle[MAX_THREADS];
    pthread_barrier_init(&barrier, NULL, threads);
    for (uint32_t i = 0; i < threads; i++) {
      if (pthread_create(&handle[i], NULL, run, &workers[i]) != 0) {
        fputs("peers: cannot start a thread\n", stderr);
        exit(1);
      }
    }
    for (uint32_t i = 0; i < threads; i++) pthread_join(handle[i], NULL);
  }

  Dl_info from;
  void *address = dlsym(RTLD_DEFAULT, "malloc");
  const char *object = address != NULL && dladdr(address, &from) != 0 ? from.dli_fname : "";
  printf("{\"workload\":\"%s\",\"threads\":%u,\"ops\":%llu,\"rounds\":[", workload->name, threads,
         (unsigned long long)ops);
  for (uint32_t r = 0; r < rounds; r++) printf("%s%.4f", r > 0 ? "," : "", ns_per_op[r]);
  printf("],\"malloc\":\"%s\"}\n", object);
  return 0;
}
