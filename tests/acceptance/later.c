/* The system's clock, some hours ahead, for one process that loads this before the C library.
 * Only the time of day is moved; what measures durations stays. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time)
{
    long failed = syscall(SYS_clock_gettime, clock, time);
    const char *ahead = getenv("TALLYSTICK_TEST_SECONDS_AHEAD");
    if (failed == 0 && clock == CLOCK_REALTIME && ahead != NULL)
        time->tv_sec += atol(ahead);
    return (int)failed;
}
