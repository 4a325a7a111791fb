// What the programs of the judge share. What they record is no scheduling point: it is read from outside, once an
// execution is over, so it must not change which there are.
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

// As in tests/judge/program.rs.
constexpr int busy = -1;
constexpr int timed_out = -2;
constexpr int would_deadlock = -3;

// Objects far enough apart that no two of them are taken for the same.
template <class Object> struct alignas(64) Apart {
  Object object;
};

extern "C" {
// Read by the test.
int judge_counts[4];
int judge_records[4][16];
Apart<std::atomic<int>> judge_atomics[3];
// Each program has its own: ThreadSanitizer looks at no read of an address any more once it has reported a race there.
Apart<int> judge_plains[programs][2];
}

static Apart<pthread_mutex_t> mutexes[2];
static Apart<pthread_cond_t> conditions[2] = {{PTHREAD_COND_INITIALIZER}, {PTHREAD_COND_INITIALIZER}};
static Apart<pthread_rwlock_t> read_write_lock = {PTHREAD_RWLOCK_INITIALIZER};
static Apart<sem_t> semaphore;

// The thread that starts all others has no records.
[[gnu::noinline, gnu::no_sanitize("thread", "address")]] static int record(int thread, int value) {
  judge_records[thread][judge_counts[thread]++] = value;
  return value;
}

static int result(int error) {
  switch (error) {
  case 0: return 0;
  case EBUSY:
  case EAGAIN: return busy;
  case ETIMEDOUT: return timed_out;
  case EDEADLK: return would_deadlock;
  default: std::abort();
  }
}

static int result_of_call(long returned) { return returned >= 0 ? static_cast<int>(returned) : result(errno); }

[[gnu::noinline]] static void separate() { asm volatile(""); }

// Reads, then writes. g++'s AddressSanitizer looks at an address once until the next call.
static int increment(int &plain) {
  const int before = plain;
  separate();
  plain = before + 1;
  return before;
}

static int compare_exchange(std::atomic<int> &atomic, int expected, int desired) {
  atomic.compare_exchange_strong(expected, desired);
  return expected;
}

// No clock of these tests comes so far.
static constexpr timespec far_away{4'000'000'000, 0};

static long futex(std::atomic<int> &word, int operation, int value, const timespec *timeout) {
  return syscall(SYS_futex, reinterpret_cast<int *>(&word), operation, value, timeout, nullptr, 0);
}

static int futex_wait(std::atomic<int> &word, int expected, bool timed) {
  const timespec second{1, 0};
  return result_of_call(futex(word, FUTEX_WAIT_PRIVATE, expected, timed ? &second : nullptr));
}

static int sleep_a_while() {
  const timespec short_time{0, 1'000};
  return result_of_call(nanosleep(&short_time, nullptr));
}

static void pause_processor() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("yield");
#endif
}

template <class Pause> static int spin(std::atomic<int> &atomic, int value, int rounds, Pause pause) {
  for (int round = 0; round < rounds; ++round) {
    if (atomic.load() == value)
      return 1;
    pause();
  }
  return 0;
}

static void initialise(pthread_mutex_t &mutex, int kind) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, kind);
  pthread_mutex_init(&mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

using Body = void *(*)(void *);

// g++'s AddressSanitizer, which makes scheduling points there, looks at no variable whose place the compiler knows.
template <class... Bodies> static void run(Apart<int> *plains, Bodies... bodies) {
  pthread_t threads[sizeof...(bodies)];
  int count = 0;
  for (Body body : {static_cast<Body>(bodies)...})
    if (pthread_create(&threads[count++], nullptr, body, plains) != 0)
      std::abort();
  for (pthread_t thread : threads)
    pthread_join(thread, nullptr);
}
