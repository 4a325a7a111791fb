// What looks like a misuse of a mutex and is none: calls that report an error, mutexes of every kind and from everywhere,
// and unlocking late in the life of a thread.
//
// ending: status 0
#include <pthread.h>
#include <sys/mman.h>
#include <threads.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <locale>
#include <mutex>
#include <new>
#include <sstream>
#include <thread>

namespace {

using namespace std::chrono_literals;

int failed = 0;

void expect(bool right, int line) {
  if (!right && failed == 0) failed = line;
}
#define EXPECT(condition) expect(condition, __LINE__)

/// Locked by a constructor, unlocked by main.
std::mutex early;
struct Early {
  Early() { early.lock(); }
} early_lock;

void errors(int kind) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, kind);
  pthread_mutex_t mutex;
  pthread_mutex_init(&mutex, &attributes);
  EXPECT(pthread_mutex_unlock(&mutex) == EPERM);
  pthread_mutex_lock(&mutex);
  std::thread other([&] {
    EXPECT(pthread_mutex_unlock(&mutex) == EPERM);
    EXPECT(pthread_mutex_destroy(&mutex) == EBUSY);
  });
  other.join();
  if (kind == PTHREAD_MUTEX_RECURSIVE) {
    EXPECT(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
  }
  EXPECT(pthread_mutex_unlock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == EPERM);
  EXPECT(pthread_mutex_destroy(&mutex) == 0);
  pthread_mutex_init(&mutex, nullptr);
  EXPECT(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0 && pthread_mutex_destroy(&mutex) == 0);
}

void initialisers() {
  pthread_mutex_t mutexes[] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
                               PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP, PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP};
  for (pthread_mutex_t &mutex : mutexes)
    EXPECT(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
  // Bits of a free one, in shared memory.
  void *shared = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  std::memcpy(shared, &mutexes[0], sizeof mutexes[0]);
  auto *copy = static_cast<pthread_mutex_t *>(shared);
  EXPECT(pthread_mutex_lock(copy) == 0 && pthread_mutex_unlock(copy) == 0);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_NORMAL);
  pthread_mutex_init(copy + 1, &attributes);
  EXPECT(pthread_mutex_trylock(copy + 1) == 0 && pthread_mutex_unlock(copy + 1) == 0);
  munmap(shared, 4096);
  mtx_t mutex;
  mtx_init(&mutex, mtx_timed | mtx_recursive);
  EXPECT(mtx_unlock(&mutex) == thrd_error);
  EXPECT(mtx_lock(&mutex) == thrd_success && mtx_unlock(&mutex) == thrd_success);
  mtx_destroy(&mutex);
}

void library() {
  std::timed_mutex timed;
  std::recursive_timed_mutex recursive;
  const std::scoped_lock both(timed, recursive);
  std::thread other([&] {
    EXPECT(!timed.try_lock_for(1ms) && !recursive.try_lock());
    std::ostringstream text;  // The library has mutexes of its own.
    text.imbue(std::locale::classic());
    text << 1;
  });
  other.join();
}

/// A mutex is in use by who waits with it, and held again by who was woken or timed out.
void conditions() {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  // Atomic, since TSan takes a mutex for destroyed that was not (`EBUSY`), and knows its order no more.
  std::atomic<bool> waits{false}, told{false};
  std::thread waiter([&] {
    pthread_mutex_lock(&mutex);
    waits = true;
    while (!told) pthread_cond_wait(&condition, &mutex);
    const timespec past{0, 0};
    const int error = pthread_cond_timedwait(&condition, &mutex, &past);
    EXPECT(error == 0 || error == ETIMEDOUT);
    EXPECT(pthread_mutex_unlock(&mutex) == 0);
  });
  pthread_mutex_lock(&mutex);
  const bool waited = waits;
  told = true;
  pthread_mutex_unlock(&mutex);
  if (waited) {
    // Whatever it says, whoever waited may go on.
    const int error = pthread_mutex_destroy(&mutex);
    EXPECT(error == EBUSY);
  }
  pthread_cond_signal(&condition);
  waiter.join();
  EXPECT(pthread_mutex_destroy(&mutex) == 0);
  std::condition_variable_any any;
  std::recursive_mutex held;
  std::unique_lock lock(held);
  any.wait_for(lock, 1ms);
}

std::mutex at_end;
std::condition_variable ended;
std::atomic<bool> is_held;
thread_local std::unique_lock<std::mutex> until_end;

/// Unlocked by a destructor of a thread-local variable, and by what is to come at the thread's end.
void ends() {
  std::thread holder([] {
    until_end = std::unique_lock(at_end);
    is_held = true;
  });
  holder.join();
  std::thread notifier([] { std::notify_all_at_thread_exit(ended, std::unique_lock(at_end)); });
  notifier.join();
  EXPECT(at_end.try_lock());
  at_end.unlock();
}

}  // namespace

int main() {
  early.unlock();
  errors(PTHREAD_MUTEX_ERRORCHECK);
  errors(PTHREAD_MUTEX_RECURSIVE);
  initialisers();
  library();
  conditions();
  ends();
  return failed % 200 + (failed == 0 ? 0 : 1);
}
