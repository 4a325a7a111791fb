// Probes of what threads wait for beside mutexes: read-write and spin locks, barriers, semaphores.
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <fcntl.h>
#include <time.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "probes/probes.hpp"
#include "probes/scenarios/threads.hpp"

namespace threadbare {

namespace {

using namespace std::chrono_literals;

/// Always 7: writers exclude (1), readers never see half of what they write (2), and read together in time (4).
std::int64_t rwlock() {
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  int first = 0, second = 0;
  std::atomic<bool> torn{false};
  on_threads(4, [&](int i) {
    if (i < 2) {
      pthread_rwlock_wrlock(&lock);
      first += 1;
      sched_yield();
      second += 1;
    } else {
      pthread_rwlock_rdlock(&lock);
      if (first != second) torn = true;
    }
    pthread_rwlock_unlock(&lock);
  });
  pthread_rwlock_rdlock(&lock);
  const bool together = pthread_rwlock_tryrdlock(&lock) == 0 && pthread_rwlock_trywrlock(&lock) == EBUSY;
  pthread_rwlock_unlock(&lock);
  pthread_rwlock_unlock(&lock);
  pthread_rwlock_destroy(&lock);
  return (first == 2 && second == 2 ? 1 : 0) | (torn ? 0 : 2) | (together ? 4 : 0);
}

/// Always 127: what the calls say where a lock cannot be had.
std::int64_t rwlock_errors() {
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  std::int64_t result = 0;
  pthread_rwlock_wrlock(&lock);
  if (pthread_rwlock_wrlock(&lock) == EDEADLK) result |= 1;
  if (pthread_rwlock_rdlock(&lock) == EDEADLK) result |= 2;
  std::thread other([&] {
    const auto soon = after(1s);
    if (pthread_rwlock_tryrdlock(&lock) == EBUSY) result |= 4;
    if (pthread_rwlock_timedrdlock(&lock, &soon) == ETIMEDOUT) result |= 8;
    if (pthread_rwlock_timedwrlock(&lock, &soon) == ETIMEDOUT) result |= 16;
    const auto later = after(1s, CLOCK_MONOTONIC);
    if (pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &later) == ETIMEDOUT) result |= 32;
  });
  other.join();
  pthread_rwlock_unlock(&lock);
  if (pthread_rwlock_unlock(&lock) == EPERM) result |= 64;
  return result;
}

/// 1, 2 or 3: which of two readers sees what a writer that waits with them wrote.
std::int64_t rwlock_order() {
  std::shared_mutex lock;
  int value = 0;
  std::atomic<int> seen{1};
  lock.lock();
  std::thread writer([&] {
    const std::lock_guard guard(lock);
    value = 1;
  });
  std::thread readers([&] {
    on_threads(2, [&](int) {
      const std::shared_lock guard(lock);
      seen += value;
    });
  });
  lock.unlock();
  writer.join();
  readers.join();
  return seen;
}

/// Always stuck: who reads cannot write as well.
std::int64_t rwlock_upgrade() {
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  on_threads(2, [&](int) {
    pthread_rwlock_rdlock(&lock);
    pthread_rwlock_wrlock(&lock);
    pthread_rwlock_unlock(&lock);
  });
  return 1;
}

/// A data race in every schedule: read locks do not exclude each other.
std::int64_t rwlock_race() {
  std::shared_mutex lock;
  int plain = 0;
  on_threads(2, [&](int i) {
    const std::shared_lock guard(lock);
    plain += i + 1;
  });
  return plain;
}

/// Always 5: a spin lock excludes, and who finds it held is told so.
std::int64_t spin_lock() {
  pthread_spinlock_t lock;
  pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
  int counter = 0;
  on_threads(4, [&](int) {
    pthread_spin_lock(&lock);
    const int seen = counter;
    sched_yield();
    counter = seen + 1;
    pthread_spin_unlock(&lock);
  });
  pthread_spin_lock(&lock);
  if (pthread_spin_trylock(&lock) == EBUSY) ++counter;
  pthread_spin_unlock(&lock);
  pthread_spin_destroy(&lock);
  return counter;
}

/// Always stuck: nobody unlocks it.
std::int64_t spin_forever() {
  pthread_spinlock_t lock;
  pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
  pthread_spin_lock(&lock);
  return pthread_spin_lock(&lock);
}

/// Always 5: in each of five rounds one thread of three is told so, and nobody is a round ahead.
std::int64_t barrier_rounds() {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 3);
  std::array<int, 3> rounds{};
  std::atomic<int> serial{0};
  on_threads(3, [&](int i) {
    for (int round = 0; round < 5; ++round) {
      rounds[static_cast<std::size_t>(i)] = round;
      if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) ++serial;
      for (const int other : rounds)
        if (other != round) serial += 100;
      pthread_barrier_wait(&barrier);
    }
  });
  pthread_barrier_destroy(&barrier);
  return serial;
}

/// Always stuck: there are too few.
std::int64_t barrier_short() {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 3);
  on_threads(2, [&](int) { pthread_barrier_wait(&barrier); });
  return 1;
}

/// Always 30: a bounded buffer hands everything over, in spite of two producers and two consumers.
std::int64_t semaphores() {
  sem_t free_places, filled;
  sem_init(&free_places, 0, 2);
  sem_init(&filled, 0, 0);
  std::mutex mutex;
  std::vector<int> buffer;
  std::atomic<int> sum{0};
  on_threads(4, [&](int i) {
    for (int k = 0; k < 3; ++k) {
      sem_wait(i < 2 ? &free_places : &filled);
      {
        const std::lock_guard guard(mutex);
        if (i < 2) {
          buffer.push_back(5);
        } else {
          sum += buffer.back();
          buffer.pop_back();
        }
      }
      sem_post(i < 2 ? &filled : &free_places);
    }
  });
  sem_destroy(&free_places);
  sem_destroy(&filled);
  return sum;
}

/// Always 63: what the calls say.
std::int64_t semaphore_errors() {
  std::int64_t result = 0;
  sem_t semaphore;
  sem_init(&semaphore, 0, 1);
  int value = 0;
  if (sem_getvalue(&semaphore, &value) == 0 && value == 1) result |= 1;
  if (sem_trywait(&semaphore) == 0) result |= 2;
  if (sem_trywait(&semaphore) == -1 && errno == EAGAIN) result |= 4;
  auto soon = after(1s);
  if (sem_timedwait(&semaphore, &soon) == -1 && errno == ETIMEDOUT) result |= 8;
  soon = after(1s, CLOCK_MONOTONIC);
  if (sem_clockwait(&semaphore, CLOCK_MONOTONIC, &soon) == -1 && errno == ETIMEDOUT) result |= 16;
  sem_t full;
  sem_init(&full, 0, SEM_VALUE_MAX);
  if (sem_post(&full) == -1 && errno == EOVERFLOW) result |= 32;
  return result;
}

/// Always 63: named semaphores are found by name until they are unlinked, and gone in the next execution.
std::int64_t named_semaphores() {
  std::int64_t result = 0;
  if (sem_open("/probe", 0) == SEM_FAILED && errno == ENOENT) result |= 1;
  sem_t *const first = sem_open("/probe", O_CREAT, 0600, 0);
  if (sem_open("/probe", O_CREAT | O_EXCL, 0600, 0) == SEM_FAILED && errno == EEXIST) result |= 2;
  if (sem_open("/pro/be", O_CREAT, 0600, 0) == SEM_FAILED && errno == EINVAL) result |= 4;
  std::thread other([] {
    sem_t *const same = sem_open("/probe", O_CREAT, 0600, 5);
    sem_post(same);
    sem_close(same);
  });
  if (sem_wait(first) == 0) result |= 8;
  other.join();
  if (sem_unlink("/probe") == 0 && sem_unlink("/probe") == -1) result |= 16;
  if (sem_close(first) == 0 && sem_close(first) == -1 && errno == EINVAL) result |= 32;
  return result;
}

/// Always stuck: what is taken is not given back.
std::int64_t semaphore_forever() {
  sem_t semaphore;
  sem_init(&semaphore, 0, 1);
  on_threads(2, [&](int) { sem_wait(&semaphore); });
  return 1;
}

/// Always 1: a condition variable goes by the clock that its attributes name.
std::int64_t condition_clock() {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_t condition;
  pthread_cond_init(&condition, &attributes);
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  const auto until = after(3600s, CLOCK_MONOTONIC);
  pthread_mutex_lock(&mutex);
  const int result = pthread_cond_timedwait(&condition, &mutex, &until);
  pthread_mutex_unlock(&mutex);
  pthread_cond_destroy(&condition);
  pthread_condattr_destroy(&attributes);
  const auto now = after(0s, CLOCK_MONOTONIC);
  return result == ETIMEDOUT && now.tv_sec >= until.tv_sec && now.tv_sec < until.tv_sec + 60;
}

std::int64_t robust_mutex() {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_t mutex;
  pthread_mutex_init(&mutex, &attributes);
  return pthread_mutex_lock(&mutex);
}

/// Always 1: one thread does nothing but try to take what another one gives, and look whether it is there.
std::int64_t trywait_spin() {
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  std::thread producer([&] { sem_post(&semaphore); });
  int value = 0;
  while (sem_trywait(&semaphore) != 0) sem_getvalue(&semaphore, &value);
  producer.join();
  return 1;
}

/// 0 to 6: how many of six that are there one of two threads takes.
std::int64_t trywait_drain() {
  sem_t semaphore;
  sem_init(&semaphore, 0, 6);
  int taken = 0;
  std::thread other([&] {
    while (sem_trywait(&semaphore) == 0) ++taken;
  });
  while (sem_trywait(&semaphore) == 0) {
  }
  other.join();
  return taken;
}

/// Always a misuse, on one of two threads.
std::int64_t unlock_unlocked() {
  std::mutex mutex;
  on_threads(2, [&](int) { mutex.unlock(); });
  return 1;
}

constexpr ProbeList<18> probes{{
    {"rwlock", rwlock},
    {"rwlock-errors", rwlock_errors},
    {"rwlock-order", rwlock_order},
    {"rwlock-upgrade", rwlock_upgrade},
    {"rwlock-race", rwlock_race},
    {"spin-lock", spin_lock},
    {"spin-forever", spin_forever},
    {"barrier-rounds", barrier_rounds},
    {"barrier-short", barrier_short},
    {"semaphores", semaphores},
    {"semaphore-errors", semaphore_errors},
    {"named-semaphores", named_semaphores},
    {"semaphore-forever", semaphore_forever},
    {"condition-clock", condition_clock},
    {"robust-mutex", robust_mutex},
    {"unlock-unlocked", unlock_unlocked},
    {"trywait-spin", trywait_spin},
    {"trywait-drain", trywait_drain},
}};

}  // namespace

std::int64_t lock_probe(std::string_view name) { return run_probe(probes, name); }

}  // namespace threadbare
