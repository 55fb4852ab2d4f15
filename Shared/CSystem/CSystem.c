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

/* Runs in the child, which borrows the parent's memory until execve: only system calls here. */
static void become_child(spawn_request *request) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int signal = 1; signal < 65; signal++) sigaction(signal, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    /* A group of its own: an interrupt at the terminal reaches squall alone, which stops its
     * children in order. */
    setpgid(0, 0);
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
