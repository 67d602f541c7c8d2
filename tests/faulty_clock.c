/*
 * A clock that is wrong, for tests: LD_PRELOADed into a program, it shifts the time of day and the
 * times of the files below one folder that the program writes.
 *
 *   FAULTY_BELOW     the folder
 *   FAULTY_SHIFT_S   seconds by which the time of day is wrong
 *   FAULTY_RIGHT_FOR the calls that get the right time before it jumps; none without it
 *   FAULTY_JUMPS     if set, the clock jumps back and forth with every call from then on
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static char below[PATH_MAX];
static long long shift_s, right_for;
static int jumps;
static _Atomic long long asked;

__attribute__((constructor)) static void start(void) {
    const char *folder = getenv("FAULTY_BELOW"), *shift = getenv("FAULTY_SHIFT_S");
    const char *calls = getenv("FAULTY_RIGHT_FOR");
    if (!folder || !shift) return;
    snprintf(below, sizeof below, "%s", folder);
    if (calls) right_for = atoll(calls);
    jumps = getenv("FAULTY_JUMPS") != NULL;
    shift_s = atoll(shift);
}

/* By how much the clock is wrong when it is asked the next time. */
static long long wrong_by_s(void) {
    long long number = atomic_fetch_add(&asked, 1);
    if (number < right_for) return 0;
    return jumps && number % 2 ? -shift_s : shift_s;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = (int)syscall(SYS_clock_gettime, clock, now);
    if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        now->tv_sec += wrong_by_s();
    }
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}

/* A file that was written gets the time of this clock, as it would from the system. */
int close(int file) {
    int kept = errno, flags = shift_s ? fcntl(file, F_GETFL) : -1;
    if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY) {
        char link[64], path[PATH_MAX];
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        ssize_t length = readlink(link, path, sizeof path - 1);
        if (length > 0) path[length] = 0;
        if (length > 0 && strncmp(path, below, strlen(below)) == 0) {
            struct timespec times[2];
            clock_gettime(CLOCK_REALTIME, &times[0]);
            times[1] = times[0];
            futimens(file, times);
        }
    }
    errno = kept;
    return (int)syscall(SYS_close, file);
}
