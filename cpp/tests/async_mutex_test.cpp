#include "check.hpp"
#include "limits.hpp"
#include "runtime/runtime.hpp"

#include <stdexcept>
#include <utility>
#include <vector>

using namespace threadbare::runtime;

namespace {

template <Affinity A>
Task<A> increments(AsyncMutex &mutex, long &counter, int times) {
  for (int i = 0; i < times; ++i) {
    AsyncMutex::Guard guard = co_await mutex.lock();
    const long seen = counter;
    if (i % 2 == 0) co_await yield();
    counter = seen + 1;
    if (i % 3 == 0) guard.unlock();
  }
}

Task<Affinity::Main, long> counts_together(int times) {
  AsyncMutex mutex;
  long counter = 0;
  co_await when_all(increments<Affinity::Main>(mutex, counter, times), increments<Affinity::Worker>(mutex, counter, times),
                    increments<Affinity::Worker>(mutex, counter, times),
                    increments<Affinity::Worker>(mutex, counter, times));
  co_return counter;
}

Task<Affinity::Main> queues_up(AsyncMutex &mutex, int name, std::vector<int> &order) {
  const AsyncMutex::Guard guard = co_await mutex.lock();
  order.push_back(name);
  co_await yield();
}

Task<Affinity::Main, bool> is_fair() {
  AsyncMutex mutex;
  std::vector<int> order;
  std::vector<JoinHandle<void>> handles;
  {
    const AsyncMutex::Guard guard = co_await mutex.lock();
    for (int name = 0; name < 5; ++name) {
      handles.push_back(co_await start(queues_up(mutex, name, order)));
      co_await yield();
    }
  }
  for (JoinHandle<void> &handle : handles) co_await std::move(handle);
  co_return order == std::vector{0, 1, 2, 3, 4};
}

Task<Affinity::Worker> locks_and_throws(AsyncMutex &mutex) {
  const AsyncMutex::Guard guard = co_await mutex.lock();
  throw std::runtime_error("with the lock held");
}

Task<Affinity::Main> locks_after_a_throw() {
  AsyncMutex mutex;
  for (int i = 0; i < 3; ++i) {
    try {
      co_await locks_and_throws(mutex);
    } catch (const std::runtime_error &) {
    }
  }
  const AsyncMutex::Guard guard = co_await mutex.lock();
}

Task<Affinity::Worker> holds_while_waiting(AsyncMutex &mutex, Event &event) {
  const AsyncMutex::Guard guard = co_await mutex.lock();
  co_await event.wait();
}

Task<Affinity::Main> leaves_waiters(AsyncMutex &mutex, Event &event) {
  for (int i = 0; i < 3; ++i) (co_await start(holds_while_waiting(mutex, event))).detach();
  for (int i = 0; i < 10; ++i) co_await yield();
}

Task<Affinity::Main> locks(AsyncMutex &mutex) { const AsyncMutex::Guard guard = co_await mutex.lock(); }

}  // namespace

TEST("one coroutine at a time holds the mutex") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    CHECK(scheduler.run(counts_together(500)) == 2'000);
  }
}

TEST("the mutex goes to waiters in the order in which they came") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    CHECK(scheduler.run(is_fair()));
  }
}

TEST("a task that throws releases the mutex") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    scheduler.run(locks_after_a_throw());
  }
}

TEST("tasks that are destroyed while they hold or wait for the mutex release it") {
  for (const unsigned threads : thread_counts) {
    AsyncMutex mutex;
    Event event(EventReset::Manual);
    {
      Scheduler scheduler(threads);
      scheduler.run(leaves_waiters(mutex, event));
    }
    Scheduler scheduler(threads);
    scheduler.run(locks(mutex));
  }
}
