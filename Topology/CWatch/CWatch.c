#define _GNU_SOURCE
#include "CWatch.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static __thread const squall_watch *watch;

const squall_watch *squall_watched(void) { return watch; }

/* Swift's global executor.
 *
 * The runtime asks a hook before a job goes there. It is one for the whole process, so it looks
 * first whether its thread is watched. */

#define SWIFT __attribute__((swiftcall))

typedef SWIFT void (*enqueue)(void *job);
extern SWIFT void (*swift_task_enqueueGlobal_hook)(void *job, enqueue original);

static SWIFT void on_global(void *job, enqueue original) {
    const squall_watch *current = watch;
    if (!current) return original(job);
    watch = NULL;
    current->escaped(current->context, job);
    watch = current;
}

static void hook(void) { swift_task_enqueueGlobal_hook = on_global; }

const squall_watch *squall_watch_thread(const squall_watch *next) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, hook);
    const squall_watch *before = watch;
    watch = next;
    return before;
}

/* The C library.
 *
 * An executable that defines one of its functions is asked before the library is, also by the
 * libraries of Swift. Each of these says so where its thread is watched, and goes on. */

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SQUALL_SANITIZED 1
#endif
#endif

#ifdef SQUALL_SANITIZED

int squall_watches_calls(void) { return 0; }

#else

int squall_watches_calls(void) { return 1; }

static void note(const char *call) {
    const squall_watch *current = watch;
    if (!current) return;
    watch = NULL;
    current->called(current->context, call);
    watch = current;
}

/* Finds the library's own function of that name. */
static void *library(void **cached, const char *name) {
    void *function = __atomic_load_n(cached, __ATOMIC_RELAXED);
    if (function) return function;
    function = dlsym(RTLD_NEXT, name);
    if (!function) abort();
    __atomic_store_n(cached, function, __ATOMIC_RELAXED);
    return function;
}

/* Defines `name` as a watched function of the library. */
#define WATCHED(result, name, parameters, arguments)            \
    result name parameters {                                    \
        static void *cached;                                    \
        note(#name);                                            \
        return ((result(*) parameters)library(&cached, #name)) arguments; \
    }

WATCHED(int, clock_gettime, (clockid_t clock, struct timespec *now), (clock, now))
WATCHED(int, gettimeofday, (struct timeval *restrict now, void *restrict zone), (now, zone))
WATCHED(time_t, time, (time_t * now), (now))

WATCHED(ssize_t, getrandom, (void *bytes, size_t count, unsigned flags), (bytes, count, flags))
WATCHED(int, getentropy, (void *bytes, size_t count), (bytes, count))
WATCHED(int, rand, (void), ())
WATCHED(long, random, (void), ())

WATCHED(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
WATCHED(FILE *, fopen, (const char *restrict path, const char *restrict mode), (path, mode))
WATCHED(FILE *, fopen64, (const char *restrict path, const char *restrict mode), (path, mode))

WATCHED(
    int, pthread_create,
    (pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
     void *(*start)(void *), void *restrict argument),
    (thread, attributes, start, argument))
WATCHED(
    int, posix_spawn,
    (pid_t *restrict pid, const char *restrict path,
     const posix_spawn_file_actions_t *restrict actions,
     const posix_spawnattr_t *restrict attributes, char *const *restrict arguments,
     char *const *restrict environment),
    (pid, path, actions, attributes, arguments, environment))

WATCHED(unsigned, sleep, (unsigned seconds), (seconds))
WATCHED(int, usleep, (useconds_t microseconds), (microseconds))
WATCHED(
    int, nanosleep, (const struct timespec *time, struct timespec *rest), (time, rest))
WATCHED(
    int, clock_nanosleep,
    (clockid_t clock, int flags, const struct timespec *time, struct timespec *rest),
    (clock, flags, time, rest))

/* Whether a mode follows. */
static int makes_file(int flags) {
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
}

/* Foundation takes its randomness from a file. */
static const char *opening(const char *path, const char *call) {
    return strcmp(path, "/dev/urandom") == 0 ? "open /dev/urandom" : call;
}

#define OPENING(name)                                                     \
    int name(const char *path, int flags, ...) {                          \
        static void *cached;                                              \
        va_list rest;                                                     \
        va_start(rest, flags);                                            \
        mode_t mode = makes_file(flags) ? va_arg(rest, mode_t) : 0;          \
        va_end(rest);                                                     \
        note(opening(path, #name));                                       \
        return ((int (*)(const char *, int, ...))library(&cached, #name))(path, flags, mode); \
    }

OPENING(open)
OPENING(open64)

int openat(int folder, const char *path, int flags, ...) {
    static void *cached;
    va_list rest;
    va_start(rest, flags);
    mode_t mode = makes_file(flags) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    note(opening(path, "openat"));
    return ((int (*)(int, const char *, int, ...))library(&cached, "openat"))(
        folder, path, flags, mode);
}

/* Dispatch, through which Swift's clocks and its main actor go too. Where it is linked statically,
 * its own definitions take the place of these. */
#define WEAK __attribute__((weak))

WEAK WATCHED(void, dispatch_async, (void *queue, void *block), (queue, block))
WEAK WATCHED(
    void, dispatch_async_f, (void *queue, void *context, void (*work)(void *)),
    (queue, context, work))
WEAK WATCHED(
    void, dispatch_after, (uint64_t time, void *queue, void *block), (time, queue, block))
WEAK WATCHED(
    void, dispatch_after_f,
    (uint64_t time, void *queue, void *context, void (*work)(void *)),
    (time, queue, context, work))
WEAK WATCHED(
    void *, dispatch_source_create,
    (const void *type, uintptr_t handle, uintptr_t mask, void *queue),
    (type, handle, mask, queue))

/* Swift takes its randomness from here; the runtime's locks come here too. */
long syscall(long number, ...) {
    static void *cached;
    long a[6];
    va_list rest;
    va_start(rest, number);
    for (int index = 0; index < 6; index += 1) a[index] = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_getrandom) note("getrandom");
    return ((long (*)(long, ...))library(&cached, "syscall"))(
        number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#endif
