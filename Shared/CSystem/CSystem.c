#define _GNU_SOURCE 1
#include "CSystem.h"

#include <fcntl.h>
#include <stdlib.h>

#define SQUALL_SYS_close_range 436

int squall_reserve(int fd, int64_t offset, int64_t count) {
    int result;
    do {
        result = fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, count);
    } while (result != 0 && errno == EINTR);
    return result;
}

typedef struct {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const char *folder;
    const squall_descriptor *descriptors;
    int descriptor_count;
    int *moved;
    int guard;
    pid_t parent;
    volatile squall_spawn_step step;
    volatile int error;
} spawn_request;

static void fail(spawn_request *request, squall_spawn_step step, int error) {
    request->step = step;
    request->error = error;
    _exit(127);
}

/* Gives the child its descriptors and no others. All sources move out of the way first, so that
 * one child's target may be another's source. */
static void place_descriptors(spawn_request *request) {
    int highest = 2;
    for (int i = 0; i < request->descriptor_count; i++) {
        int target = request->descriptors[i].target;
        if (target > highest) highest = target;
    }
    for (int i = 0; i < request->descriptor_count; i++) {
        int source = request->descriptors[i].source;
        request->moved[i] = fcntl(source, F_DUPFD_CLOEXEC, highest + 1);
        if (request->moved[i] < 0) fail(request, SQUALL_SPAWN_DESCRIPTORS, errno);
    }
    for (int i = 0; i < request->descriptor_count; i++) {
        if (dup2(request->moved[i], request->descriptors[i].target) < 0)
            fail(request, SQUALL_SPAWN_DESCRIPTORS, errno);
    }
    /* Kernels before 5.9 lack it; our own descriptors are close-on-exec anyway. */
    syscall(SQUALL_SYS_close_range, (unsigned)highest + 1, ~0U, 0);
}

/* The child itself says so before it is anything: no moment is left at which squall could die and
 * nobody would know of the group. */
static void tell_guard(int guard, pid_t group) {
    struct sigaction ignored = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignored, NULL);
    int32_t message = group;
    ssize_t written = write(guard, &message, sizeof message);
    (void)written;
}

/* Runs in the child, which borrows the parent's memory until execve: only system calls here. */
static void become_child(spawn_request *request) {
    /* A group of its own: an interrupt at the terminal reaches squall alone, which stops its
     * children in order. */
    setpgid(0, 0);
    if (request->guard >= 0) tell_guard(request->guard, getpid());

    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int signal = 1; signal < 65; signal++) sigaction(signal, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    if (prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0UL, 0UL, 0UL) != 0)
        fail(request, SQUALL_SPAWN_PARENT, errno);
    if (getppid() != request->parent) fail(request, SQUALL_SPAWN_PARENT, ESRCH);
    if (request->folder != NULL && chdir(request->folder) != 0)
        fail(request, SQUALL_SPAWN_FOLDER, errno);
    place_descriptors(request);
    execve(request->path, request->arguments, request->environment);
    fail(request, SQUALL_SPAWN_EXECUTE, errno);
}

pid_t squall_spawn(
    const char *path,
    char *const *arguments,
    char *const *environment,
    const char *folder,
    const squall_descriptor *descriptors,
    int descriptor_count,
    int guard,
    squall_spawn_step *step,
    int *error) {
    int moved[descriptor_count > 0 ? descriptor_count : 1];
    spawn_request request = {
        .path = path,
        .arguments = arguments,
        .environment = environment,
        .folder = folder,
        .descriptors = descriptors,
        .descriptor_count = descriptor_count,
        .moved = moved,
        .guard = guard,
        .parent = getpid(),
        .step = SQUALL_SPAWN_NONE,
        .error = 0,
    };

    /* No handler of the parent may run in the child, which shares its memory. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = vfork();
    if (child == 0) become_child(&request);
    int fork_error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    if (child < 0) {
        *step = SQUALL_SPAWN_FORK;
        *error = fork_error;
        return -1;
    }
    if (request.step != SQUALL_SPAWN_NONE) {
        int status;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        *step = request.step;
        *error = request.error;
        return -1;
    }
    *step = SQUALL_SPAWN_NONE;
    *error = 0;
    return child;
}

#define SQUALL_GUARDED_MAX 4096

/* Runs in the guard: only system calls, since the process that forked it may have had threads. */
static void keep_guard(int pipe) {
    static int32_t groups[SQUALL_GUARDED_MAX];
    int count = 0;
    setsid();
    prctl(PR_SET_NAME, (unsigned long)"squall guard", 0UL, 0UL, 0UL);
    /* Nothing of the parent stays open: neither what others wait for the end of, nor locks. */
    if (dup2(pipe, 0) < 0) _exit(1);
    if (syscall(SQUALL_SYS_close_range, 1U, ~0U, 0) != 0)
        for (int fd = 1; fd < 65536; fd++) close(fd);
    int32_t message;
    ssize_t result;
    while ((result = read(0, &message, sizeof message)) != 0) {
        if (result < 0 && errno == EINTR) continue;
        if (result != (ssize_t)sizeof message) break;
        int place = 0;
        int32_t group = message < 0 ? -message : message;
        while (place < count && groups[place] != group) place++;
        if (message > 0 && place == count && count < SQUALL_GUARDED_MAX)
            groups[count++] = group;
        else if (message < 0 && place < count)
            groups[place] = groups[--count];
    }
    for (int place = 0; place < count; place++) kill(-groups[place], SIGKILL);
    _exit(0);
}

pid_t squall_guard(int pipe) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t guard = fork();
    if (guard == 0) keep_guard(pipe);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return guard;
}
