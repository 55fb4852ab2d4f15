/* Counts what the code of this thread asks of the machine, by standing between the program and
 * the C library: linked into a test executable, it is called in the library's place. */
#ifndef SQUALL_CCOUNTERS_H
#define SQUALL_CCOUNTERS_H

#include <stdint.h>

typedef struct {
    /* Pieces of memory asked for, also to make one larger. */
    int64_t allocations;
    /* Bytes copied in pieces of at least SQUALL_COPY_MIN. */
    int64_t copied_bytes;
    /* System calls, but those made by `syscall`: that one is watched by others. */
    int64_t sends;
    int64_t receives;
    int64_t waits;
    int64_t controls;
    int64_t writes;
    int64_t reads;
    int64_t syncs;
} squall_counts;

#define SQUALL_COPY_MIN 1024

/* Whether this build counts: a sanitizer stands in the same place. */
int squall_can_count(void);

/* Starts or stops counting what this thread does; returns whether it was counting. */
int squall_counting(int on);

/* Returns what was counted since the last call. */
squall_counts squall_take_counts(void);

#endif
