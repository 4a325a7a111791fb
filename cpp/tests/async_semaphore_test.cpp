#include "check.hpp"
#include "limits.hpp"
#include "runtime/runtime.hpp"

#include <atomic>
#include <utility>
#include <vector>

using namespace threadbare::runtime;

namespace {

template <Affinity A>
Task<A> enters(AsyncSemaphore &semaphore, std::atomic<int> &inside, std::atomic<int> &most) {
  for (int i = 0; i < 200; ++i) {
    co_await semaphore.acquire();
    const int now = ++inside;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    co_await yield();
    --inside;
    semaphore.release();
  }
}

Task<Affinity::Main, int> most_at_once(std::size_t permits) {
  AsyncSemaphore semaphore(permits);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  co_await when_all(enters<Affinity::Main>(semaphore, inside, most), enters<Affinity::Worker>(semaphore, inside, most),
                    enters<Affinity::Main>(semaphore, inside, most), enters<Affinity::Worker>(semaphore, inside, most));
  co_return most;
}

Task<Affinity::Main> queues_up(AsyncSemaphore &semaphore, int name, std::vector<int> &order) {
  co_await semaphore.acquire();
  order.push_back(name);
}

Task<Affinity::Main, bool> is_fair() {
  AsyncSemaphore semaphore(0);
  std::vector<int> order;
  std::vector<JoinHandle<void>> handles;
  for (int name = 0; name < 5; ++name) {
    handles.push_back(co_await start(queues_up(semaphore, name, order)));
    co_await yield();
  }
  for (int i = 0; i < 5; ++i) semaphore.release();
  for (JoinHandle<void> &handle : handles) co_await std::move(handle);
  co_return order == std::vector{0, 1, 2, 3, 4};
}

Task<Affinity::Worker> waits(AsyncSemaphore &semaphore) { co_await semaphore.acquire(); }

Task<Affinity::Main> leaves_waiters(AsyncSemaphore &semaphore) {
  for (int i = 0; i < 3; ++i) (co_await start(waits(semaphore))).detach();
  for (int i = 0; i < 10; ++i) co_await yield();
}

Task<Affinity::Main> releases_and_acquires(AsyncSemaphore &semaphore) {
  semaphore.release();
  co_await semaphore.acquire();
}

}  // namespace

TEST("no more tasks than permits are inside") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    CHECK(scheduler.run(most_at_once(1)) == 1);
    CHECK(scheduler.run(most_at_once(2)) <= 2);
    CHECK(scheduler.run(most_at_once(9)) <= 4);
  }
}

TEST("permits go to waiters in the order in which they came") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    CHECK(scheduler.run(is_fair()));
  }
}

TEST("waiters that are destroyed take no permit with them") {
  for (const unsigned threads : thread_counts) {
    AsyncSemaphore semaphore(0);
    {
      Scheduler scheduler(threads);
      scheduler.run(leaves_waiters(semaphore));
    }
    Scheduler scheduler(threads);
    scheduler.run(releases_and_acquires(semaphore));
  }
}
