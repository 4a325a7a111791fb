// All clocks of real time show about the same, C11's as well, and waiting for ever does not make them go wrong.
//
// ending: status 0
#include <pthread.h>
#include <stdint.h>
#include <threads.h>
#include <time.h>

static int64_t seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec;
}

static void *sleep_for_ever(void *argument) {
  nanosleep(&(struct timespec){INT64_MAX, 0}, 0);
  return argument;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, 0, sleep_for_ever, 0);
  pthread_detach(thread);
  const int64_t before = seconds(CLOCK_MONOTONIC);
  for (int i = 0; i < 40; i++) thrd_yield();
  struct timespec now;
  if (timespec_get(&now, TIME_UTC) != TIME_UTC) return 1;
  if (now.tv_sec < seconds(CLOCK_REALTIME) - 5 || now.tv_sec > seconds(CLOCK_REALTIME) + 5) return 2;
  if (now.tv_sec < seconds(CLOCK_REALTIME_COARSE) - 5) return 3;
  if (seconds(CLOCK_REALTIME_COARSE) < now.tv_sec - 5) return 4;
  if (nanosleep(&(struct timespec){-1, 0}, 0) == 0) return 5;
  const int64_t after = seconds(CLOCK_MONOTONIC);
  return after < before || after > before + 100;
}
