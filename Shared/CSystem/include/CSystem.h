/* What `import Glibc` does not offer: epoll, eventfd, signalfd, accept4, pidfd, SO_PEERCRED,
 * prctl, and a way to start a process that dies with its parent. */
#ifndef SQUALL_CSYSTEM_H
#define SQUALL_CSYSTEM_H

/* No _GNU_SOURCE here: it would change the types that Swift's own Glibc module declares. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The kernel's numbers, which are the same on every architecture. */
#define SQUALL_SYS_pidfd_send_signal 424
#define SQUALL_SYS_pidfd_open 434
#define SQUALL_SYS_epoll_pwait2 441

static inline int squall_pidfd_open(pid_t pid) {
    return (int)syscall(SQUALL_SYS_pidfd_open, pid, 0);
}

static inline int squall_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SQUALL_SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

/* Waits for events; `nanoseconds` < 0 waits for ever. Kernels before 5.11 wait in whole
 * milliseconds, rounded up, so that no timer is ever early. */
static inline int squall_epoll_wait(
    int epoll, struct epoll_event *events, int count, int64_t nanoseconds) {
    if (nanoseconds <= 0) return epoll_wait(epoll, events, count, nanoseconds < 0 ? -1 : 0);
    struct timespec timeout = {
        .tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int ready = (int)syscall(
        SQUALL_SYS_epoll_pwait2, epoll, events, count, &timeout, NULL, (size_t)0);
    if (ready >= 0 || errno != ENOSYS) return ready;
    int64_t milliseconds = (nanoseconds + 999999) / 1000000;
    return epoll_wait(epoll, events, count, milliseconds > 1000000 ? 1000000 : (int)milliseconds);
}

/*
 * Lets go of the mapped pages of the program's code, all of which the file can give again.
 *
 * Around a page that is missing, the kernel maps up to 16 that lie near it in the same mapping;
 * most of them would never be used. Different advice for every other 4 pages makes of each 4 a
 * mapping of their own, so that no more than those come back.
 */
static inline void squall_release_code(void) {
    extern char __executable_start, etext;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = (uintptr_t)&__executable_start & ~(page - 1);
    uintptr_t end = (uintptr_t)&etext & ~(page - 1);
    for (uintptr_t slice = start; slice + 4 * page <= end; slice += 8 * page)
        madvise((void *)slice, 4 * page, MADV_RANDOM);
    if (end > start) madvise((void *)start, end - start, MADV_DONTNEED);
}

static inline int64_t squall_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int squall_accept(int listener) {
    return (int)syscall(SYS_accept4, listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static inline int squall_pipe(int *ends) {
    return (int)syscall(SYS_pipe2, ends, O_CLOEXEC);
}

static inline int squall_unix_socket(void) {
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static inline int squall_peer_credentials(int fd, pid_t *pid, uid_t *uid, gid_t *gid) {
    /* struct ucred, which needs _GNU_SOURCE. */
    struct {
        pid_t pid;
        uid_t uid;
        gid_t gid;
    } credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return -1;
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return 0;
}

/* `length` must be below the size of sun_path, which the caller has checked. */
static inline int squall_bind(int fd, const char *path, size_t length) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, length);
    return bind(fd, (struct sockaddr *)&address, sizeof address);
}

static inline int squall_connect(int fd, const char *path, size_t length) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, length);
    return connect(fd, (struct sockaddr *)&address, sizeof address);
}

static inline ssize_t squall_send(int fd, const void *bytes, size_t count) {
    return send(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The kill switch of a child: the kernel sends it `signal` when the thread that started it ends. */
static inline int squall_die_with_parent(int signal) {
    return prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0UL, 0UL, 0UL);
}

/* Waits for the child behind a pidfd without blocking. Returns 1 and says how it ended, 0 while
 * it runs, -1 on an error. `signalled` is 1 where `value` is a signal and 0 where it is a code. */
static inline int squall_reap(int pidfd, int *signalled, int *value) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid((idtype_t)3 /* P_PIDFD */, (id_t)pidfd, &info, WEXITED | WNOHANG) != 0) return -1;
    if (info.si_pid == 0) return 0;
    *signalled = info.si_code == CLD_EXITED ? 0 : 1;
    *value = info.si_status;
    return 1;
}

/* Finds blocks for `count` bytes from `offset` without changing the size of the file. */
int squall_reserve(int fd, int64_t offset, int64_t count);

/* What a child gets as file descriptor `target`. */
typedef struct {
    int source;
    int target;
} squall_descriptor;

/* The step of a start that failed. */
typedef enum {
    SQUALL_SPAWN_NONE = 0,
    SQUALL_SPAWN_FORK,
    SQUALL_SPAWN_PARENT,
    SQUALL_SPAWN_DESCRIPTORS,
    SQUALL_SPAWN_FOLDER,
    SQUALL_SPAWN_EXECUTE
} squall_spawn_step;

/* Starts `path` in a process group of its own, with the default signal handling, the
 * given descriptors and none above them, and SIGKILL when the calling thread ends: call it from
 * the main thread. A guard is told of the group where `guard`, the pipe to it, is not -1.
 * Returns the process id, or -1 with `step` and `error` set. `folder` may be NULL. */
pid_t squall_spawn(
    const char *path,
    char *const *arguments,
    char *const *environment,
    const char *folder,
    const squall_descriptor *descriptors,
    int descriptor_count,
    int guard,
    squall_spawn_step *step,
    int *error);

/* Forks a guard: it reads process groups from `pipe` (a negative number takes one back) and kills
 * them all when nobody can write to it any more. Returns its process id, or -1. */
pid_t squall_guard(int pipe);

#endif
