/*
 * recorder.c: records what a program allocates, by LD_PRELOAD. How to use it: docs/tracing.md.
 *
 *   cc -O2 -Wall -shared -fPIC -o recorder.so recorder.c -ldl -pthread
 *
 *   SMPALLOC_TRACE=/tmp/run       prefix of the output, one file a process: /tmp/run.PID; unset: nothing is recorded
 *   SMPALLOC_TRACE_COMM=redis-    record only processes whose name begins so; unset: every process
 *   SMPALLOC_TRACE_MAX=2000000    records a process; later events are not recorded
 *
 * The output is one sparse file mapped shared: a page of header, then fixed records. An atomic add hands out places, and
 * the place of a record is its sequence number, over all threads. Nothing is buffered and nothing is allocated while
 * recording, so a program that is killed leaves a whole file.
 *
 *   page 0    u8 magic[8] | u64 capacity | u64 next | u32 threads | u32 pid | u64 start ns | u64 0 | char comm[32]
 *   4096 ..   u64 pointer | u32 size | u16 thread | u8 op | u8 cpu | u64 ns                        24 bytes a record
 *
 * Rules
 *   I1  a free takes its place BEFORE the real free runs, an allocation AFTER the real one has returned. Whoever gets an
 *       address again therefore stands behind the free that gave it up, whatever the threads do.
 *   I2  a realloc is both: OP_GIVE (old pointer) before, OP_TAKE (new pointer) or OP_KEEP (it failed) after.
 *   I3  op is stored last. A place whose op is still 0 belongs to a thread that was killed in between.
 *   I4  a forked child stops recording: it shares the mapping. A program it executes records into a file of its own.
 *
 * Not seen: programs without a dynamic loader, allocators linked under names of their own, mmap.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum op { OP_HOLE, OP_MALLOC, OP_CALLOC, OP_MEMALIGN, OP_FREE, OP_GIVE, OP_TAKE, OP_KEEP };

struct record {
	uint64_t ptr;
	uint32_t size;
	uint16_t thread;
	uint8_t op;
	uint8_t cpu;
	uint64_t ns;
};

struct header {
	char magic[8];
	uint64_t capacity;
	_Atomic uint64_t next;
	_Atomic uint32_t threads;
	uint32_t pid;
	uint64_t start_ns;
	uint64_t unused;
	char comm[32];
};

#define HEADER_BYTES 4096
#define DEFAULT_RECORDS 2000000
#define PAGE 4096
_Static_assert(sizeof(struct record) == 24, "the converter reads records of 24 bytes");

static struct header *header;
static struct record *records;
static int recording;
static int started;
/* initial-exec: a lazily made thread variable would call malloc */
static __thread int thread_number __attribute__((tls_model("initial-exec"))) = -1;

extern char **environ;
static void start(void);

/* ---- the real allocator, and memory for those who ask before it is known */

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void *(*real_memalign)(size_t, size_t);
static void *(*real_aligned_alloc)(size_t, size_t);
static int (*real_posix_memalign)(void **, size_t, size_t);
static void (*real_free)(void *);

static char early[65536] __attribute__((aligned(16)));
static _Atomic size_t early_used;

static int is_early(const void *p)
{
	return (const char *)p >= early && (const char *)p < early + sizeof early;
}

/* dlsym itself may call calloc; what it gets is never given back */
static void *early_alloc(size_t size)
{
	size_t rounded = (size + 15) & ~(size_t)15;
	size_t at = atomic_fetch_add(&early_used, rounded);
	if (rounded < size || at + rounded > sizeof early)
		abort();
	return early + at;
}

static void find_real(void)
{
	static int searching;
	if (real_free || searching)
		return;
	searching = 1;
	real_malloc = dlsym(RTLD_NEXT, "malloc");
	real_calloc = dlsym(RTLD_NEXT, "calloc");
	real_realloc = dlsym(RTLD_NEXT, "realloc");
	real_memalign = dlsym(RTLD_NEXT, "memalign");
	real_aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
	real_posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
	real_free = dlsym(RTLD_NEXT, "free");
	searching = 0;
}

/* ---- recording */

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void put(enum op op, const void *ptr, size_t size)
{
	/* constructors of other libraries allocate before ours has run */
	if (!started && environ && real_free)
		start();
	/* looked at first, so that a full file does not count on for ever */
	if (!recording || atomic_load_explicit(&header->next, memory_order_relaxed) >= header->capacity)
		return;
	uint64_t place = atomic_fetch_add(&header->next, 1);
	if (place >= header->capacity)
		return;
	if (thread_number < 0)
		thread_number = (int)(atomic_fetch_add(&header->threads, 1) & 0xffff);
	struct record *r = &records[place];
	r->ptr = (uint64_t)(uintptr_t)ptr;
	r->size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
	r->thread = (uint16_t)thread_number;
	r->cpu = (uint8_t)sched_getcpu();
	r->ns = now_ns();
	atomic_thread_fence(memory_order_release);
	*(volatile uint8_t *)&r->op = (uint8_t)op;
}

static void in_child(void)
{
	recording = 0;
}

static void read_comm(char *comm, size_t size)
{
	memset(comm, 0, size);
	int fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = read(fd, comm, size - 1);
	close(fd);
	if (n > 0 && comm[n - 1] == '\n')
		comm[n - 1] = 0;
}

__attribute__((constructor)) static void start(void)
{
	if (started)
		return;
	started = 1;
	find_real();
	const char *prefix = getenv("SMPALLOC_TRACE");
	const char *only = getenv("SMPALLOC_TRACE_COMM");
	const char *max = getenv("SMPALLOC_TRACE_MAX");
	char comm[32];
	if (!prefix || !*prefix)
		return;
	read_comm(comm, sizeof comm);
	if (only && strncmp(comm, only, strlen(only) > 15 ? 15 : strlen(only)) != 0)
		return;
	uint64_t capacity = max ? strtoull(max, NULL, 10) : 0;
	if (capacity == 0)
		capacity = DEFAULT_RECORDS;
	char path[4096];
	if (snprintf(path, sizeof path, "%s.%d", prefix, (int)getpid()) >= (int)sizeof path)
		return;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	size_t bytes = HEADER_BYTES + capacity * sizeof(struct record);
	void *map = MAP_FAILED;
	if (ftruncate(fd, (off_t)bytes) == 0)
		map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return;
	header = map;
	records = (struct record *)((char *)map + HEADER_BYTES);
	header->capacity = capacity;
	header->pid = (uint32_t)getpid();
	header->start_ns = now_ns();
	memcpy(header->comm, comm, sizeof header->comm);
	memcpy(header->magic, "SMPREC01", 8);
	pthread_atfork(NULL, NULL, in_child);
	recording = 1;
}

/* ---- what the program calls */

void *malloc(size_t size)
{
	find_real();
	if (!real_malloc)
		return early_alloc(size);
	void *p = real_malloc(size);
	if (p)
		put(OP_MALLOC, p, size);
	return p;
}

void *calloc(size_t count, size_t size)
{
	find_real();
	if (!real_calloc)
		return early_alloc(count * size);
	void *p = real_calloc(count, size);
	if (p)
		put(OP_CALLOC, p, count * size);
	return p;
}

void free(void *p)
{
	if (!p || is_early(p))
		return;
	find_real();
	if (!real_free)
		return;
	put(OP_FREE, p, 0);
	real_free(p);
}

void *realloc(void *old, size_t size)
{
	find_real();
	if (!old || is_early(old)) {
		void *p = malloc(size);
		size_t most = old ? (size_t)(early + sizeof early - (char *)old) : 0;
		if (p && old)
			memcpy(p, old, size < most ? size : most);
		return p;
	}
	put(OP_GIVE, old, 0);
	void *p = real_realloc(old, size);
	/* size 0 frees, and may return NULL without having failed */
	if (p || size == 0)
		put(OP_TAKE, p, size);
	else
		put(OP_KEEP, old, size);
	return p;
}

void *reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, bytes);
}

void *memalign(size_t alignment, size_t size)
{
	find_real();
	void *p = real_memalign(alignment, size);
	if (p)
		put(OP_MEMALIGN, p, size);
	return p;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	find_real();
	void *p = real_aligned_alloc(alignment, size);
	if (p)
		put(OP_MEMALIGN, p, size);
	return p;
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	find_real();
	int error = real_posix_memalign(out, alignment, size);
	if (error == 0)
		put(OP_MEMALIGN, *out, size);
	return error;
}

void *valloc(size_t size)
{
	return memalign(PAGE, size);
}

void *pvalloc(size_t size)
{
	return memalign(PAGE, (size + PAGE - 1) & ~(size_t)(PAGE - 1));
}
