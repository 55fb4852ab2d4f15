#define _GNU_SOURCE 1
#include "CCounters.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* In the executable's own block: to reach it must not allocate. */
#define THREAD static __thread __attribute__((tls_model("initial-exec")))
THREAD squall_counts counts;
THREAD int counting;

#define COUNT(what, amount) \
    do { \
        if (counting) counts.what += (amount); \
    } while (0)

int squall_counting(int on) {
    int before = counting;
    counting = on;
    return before;
}

squall_counts squall_take_counts(void) {
    squall_counts taken = counts;
    counts = (squall_counts){0};
    return taken;
}

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)

int squall_can_count(void) { return 0; }

#else

int squall_can_count(void) { return 1; }

/* ---- Memory ---- */

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) {
    COUNT(allocations, 1);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    COUNT(allocations, 1);
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    COUNT(allocations, 1);
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    COUNT(allocations, 1);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
    void *result = memalign(alignment, size);
    if (result == NULL) return ENOMEM;
    *memory = result;
    return 0;
}

/* ---- The library's own functions ---- */

/* Every function that is counted and passed on: its result, name, parameters, arguments, kind. */
#define PASSED_ON(EACH) \
    EACH(ssize_t, send, (int a, const void *b, size_t c, int d), (a, b, c, d), sends) \
    EACH(ssize_t, sendmsg, (int a, const struct msghdr *b, int c), (a, b, c), sends) \
    EACH(ssize_t, recv, (int a, void *b, size_t c, int d), (a, b, c, d), receives) \
    EACH(ssize_t, recvmsg, (int a, struct msghdr *b, int c), (a, b, c), receives) \
    EACH(int, epoll_wait, (int a, struct epoll_event *b, int c, int d), (a, b, c, d), waits) \
    EACH(int, epoll_ctl, (int a, int b, int c, struct epoll_event *d), (a, b, c, d), controls) \
    EACH(ssize_t, write, (int a, const void *b, size_t c), (a, b, c), writes) \
    EACH(ssize_t, writev, (int a, const struct iovec *b, int c), (a, b, c), writes) \
    EACH(ssize_t, pwrite, (int a, const void *b, size_t c, off_t d), (a, b, c, d), writes) \
    EACH(ssize_t, pwritev, (int a, const struct iovec *b, int c, off_t d), (a, b, c, d), writes) \
    EACH(ssize_t, read, (int a, void *b, size_t c), (a, b, c), reads) \
    EACH(ssize_t, pread, (int a, void *b, size_t c, off_t d), (a, b, c, d), reads) \
    EACH(int, fsync, (int a), (a), syncs) \
    EACH(int, fdatasync, (int a), (a), syncs)

#define POINTER(result, name, parameters, arguments, kind) static result(*next_##name) parameters;
PASSED_ON(POINTER)
static void *(*next_memcpy)(void *, const void *, size_t);
static void *(*next_memmove)(void *, const void *, size_t);

/* Before there are threads, so that nothing has to be looked up in a process that just forked. */
__attribute__((constructor)) static void find_next(void) {
#define FIND(result, name, parameters, arguments, kind) \
    next_##name = (result(*) parameters)dlsym(RTLD_NEXT, #name);
    PASSED_ON(FIND)
    next_memcpy = (void *(*)(void *, const void *, size_t))dlsym(RTLD_NEXT, "memcpy");
    next_memmove = (void *(*)(void *, const void *, size_t))dlsym(RTLD_NEXT, "memmove");
}

#define FUNCTION(result, name, parameters, arguments, kind) \
    result name parameters { \
        if (next_##name == NULL) find_next(); \
        COUNT(kind, 1); \
        return next_##name arguments; \
    }
PASSED_ON(FUNCTION)

/* ---- Copies ---- */

/* For what is copied before the library's function is found; the compiler must not make a call
 * of `memmove` out of it. */
static void *copy_bytes(void *to, const void *from, size_t count) {
    volatile char *target = to;
    const volatile char *source = from;
    if (target < source)
        for (size_t i = 0; i < count; i++) target[i] = source[i];
    else
        for (size_t i = count; i > 0; i--) target[i - 1] = source[i - 1];
    return to;
}

void *memcpy(void *to, const void *from, size_t count) {
    if (count >= SQUALL_COPY_MIN) COUNT(copied_bytes, (int64_t)count);
    return next_memcpy == NULL ? copy_bytes(to, from, count) : next_memcpy(to, from, count);
}

void *memmove(void *to, const void *from, size_t count) {
    if (count >= SQUALL_COPY_MIN) COUNT(copied_bytes, (int64_t)count);
    return next_memmove == NULL ? copy_bytes(to, from, count) : next_memmove(to, from, count);
}

#endif
