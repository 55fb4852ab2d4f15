/* Notices when a thread that drives a simulation touches the machine: its clocks, its randomness,
 * its files, its threads, or Swift's global executor. */
#ifndef SQUALL_CWATCH_H
#define SQUALL_CWATCH_H

#include <stdint.h>

/* Who is told. Both functions are called on the watched thread, in the midst of the call. */
typedef struct {
    void *context;
    /* `call` is about to reach the machine; it does. */
    void (*called)(void *context, const char *call);
    /* A job is about to leave for Swift's global executor: it is handed over instead. */
    void (*escaped)(void *context, void *job);
} squall_watch;

/* Watches the calling thread until the next call; NULL watches it no more.
 * Returns what watched it before. */
const squall_watch *squall_watch_thread(const squall_watch *watch);

/* Returns what watches the calling thread; NULL where nothing does. */
const squall_watch *squall_watched(void);

/* Whether calls of the C library are noticed: not under a sanitizer, which has its own. */
int squall_watches_calls(void);

#endif
