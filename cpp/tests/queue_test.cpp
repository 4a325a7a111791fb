#include "check.hpp"
#include "limits.hpp"
#include "runtime/queue/lock_free_queue.hpp"
#include "runtime/queue/moodycamel_queue.hpp"
#include "runtime/queue/mutex_queue.hpp"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

using namespace threadbare::runtime;

namespace {

/// An item is never 0, which stands for none.
using Item = std::uint64_t;

using Links = std::vector<QueueLink<Item>>;

template <class Queue>
void keeps_order_of_one_producer(std::size_t count) {
  Queue queue;
  Links links(count + 1);
  CHECK(queue.empty());
  CHECK(queue.pop() == 0);
  for (Item item = 1; item <= count; ++item) queue.push(item, links[item]);
  CHECK(!queue.empty());
  for (Item item = 1; item <= count; ++item) CHECK(queue.pop() == item);
  CHECK(queue.pop() == 0);
  CHECK(queue.empty());
}

/// Pushes and pops in waves, so that a ring wraps and spills over many times.
template <class Queue>
void keeps_order_in_waves() {
  Queue queue;
  Links links(500 * 131);
  Item next_in = 1;
  Item next_out = 1;
  for (unsigned wave = 0; wave < 500; ++wave) {
    for (unsigned i = 0; i < wave % 131; ++i, ++next_in) queue.push(next_in, links[next_in]);
    for (unsigned i = 0; i < wave % 97 && next_out < next_in; ++i) CHECK(queue.pop() == next_out++);
  }
  while (next_out < next_in) CHECK(queue.pop() == next_out++);
  CHECK(queue.empty());
}

template <class Queue>
void loses_and_duplicates_nothing(unsigned producers, unsigned consumers, Item per_producer) {
  Queue queue;
  Links links(producers * per_producer + 1);
  std::vector<std::atomic<unsigned>> seen(producers * per_producer + 1);
  std::atomic<Item> left = producers * per_producer;
  std::vector<std::thread> threads;
  for (unsigned producer = 0; producer < producers; ++producer) {
    threads.emplace_back([&, producer] {
      for (Item i = 1; i <= per_producer; ++i) {
        const Item item = producer * per_producer + i;
        queue.push(item, links[item]);
      }
    });
  }
  for (unsigned consumer = 0; consumer < consumers; ++consumer) {
    threads.emplace_back([&] {
      std::vector<Item> last(producers, 0);
      while (left.load() > 0) {
        const Item item = queue.pop();
        if (item == 0) {
          std::this_thread::yield();
          continue;
        }
        Item &before = last[(item - 1) / per_producer];
        CHECK(before < item);
        before = item;
        ++seen[item];
        --left;
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  for (std::size_t item = 1; item < seen.size(); ++item) CHECK(seen[item] == 1);
  CHECK(queue.empty());
}

/// A consumer that announces itself before it looks is seen by a producer that looks after it pushed: the
/// contract that sleeping threads depend on.
template <class Queue>
void push_and_announcement_do_not_miss_each_other() {
  for (int round = 0; round < 2'000; ++round) {
    Queue queue;
    QueueLink<Item> link;
    std::atomic<bool> sleeps{false};
    bool noticed = false;
    std::thread producer([&] {
      queue.push(1, link);
      noticed = sleeps.load(std::memory_order_seq_cst);
    });
    sleeps.store(true, std::memory_order_seq_cst);
    const bool missed = queue.empty();
    producer.join();
    CHECK(noticed || !missed);
  }
}

template <class Queue>
void keeps_its_promises() {
  keeps_order_of_one_producer<Queue>(10);
  keeps_order_of_one_producer<Queue>(5'000);
  keeps_order_in_waves<Queue>();
  loses_and_duplicates_nothing<Queue>(1, 1, 20'000);
  loses_and_duplicates_nothing<Queue>(4, 4, 5'000);
  loses_and_duplicates_nothing<Queue>(1, 6, 20'000);
  push_and_announcement_do_not_miss_each_other<Queue>();
}

}  // namespace

TEST("the lock-free queue loses, duplicates and misorders nothing") { keeps_its_promises<LockFreeQueue<Item>>(); }

TEST("the mutex queue loses, duplicates and misorders nothing") { keeps_its_promises<MutexQueue<Item>>(); }

#if THREADBARE_HAS_MOODYCAMEL && !defined(UNDER_THREAD_SANITIZER)
// Not under ThreadSanitizer, which does not understand its fences.
TEST("the moodycamel queue loses, duplicates and misorders nothing") { keeps_its_promises<MoodycamelQueue<Item>>(); }
#endif
