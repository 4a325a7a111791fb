// The queue and the sleepers of the bundled runtime: `producers` threads push three items each into a ring of two
// cells, which wraps around and spills over, and `workers` threads pop them and sleep in between. Nothing is lost or
// taken twice, each worker meets the items of a producer in their order, and all workers end. The first argument says
// which orders are weaker than they must be.
#include "runtime/queue/lock_free_queue.hpp"
#include "runtime/semaphore.hpp"
#include "runtime/sleepers.hpp"

#include <array>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

using namespace threadbare::runtime;

namespace {

using Item = unsigned;
constexpr Item each = 3;
constexpr Item most_producers = 2;

/// Items are from 1 on, those of a producer in a row.
template <std::memory_order fill, std::memory_order announce>
struct Pool {
  LockFreeQueue<Item, fill, 2> queue;
  BasicSleepers<announce> sleepers;
  std::array<QueueLink<Item>, most_producers * each + 1> links;
  std::array<bool, most_producers * each + 1> taken{};
  std::atomic<Item> left{0};
  Semaphore done;

  void produce(Item producer) {
    for (Item item = producer * each + 1; item <= (producer + 1) * each; ++item) {
      queue.push(item, links[item]);
      sleepers.notify(Affinity::Worker);
    }
  }

  void work() {
    std::array<Item, most_producers> last{};
    do {
      while (const Item item = queue.pop()) {
        assert(!taken[item]);
        taken[item] = true;
        Item &before = last[(item - 1) / each];
        assert(before < item);
        before = item;
        if (left.fetch_sub(1, std::memory_order_acq_rel) == 1) done.release();
      }
    } while (sleepers.await_work([this] { return queue.empty(); }));
  }
};

template <std::memory_order fill = std::memory_order_seq_cst, std::memory_order announce = std::memory_order_seq_cst>
void run(Item producers, std::size_t workers) {
  const auto pool = std::make_unique<Pool<fill, announce>>();
  pool->left.store(producers * each, std::memory_order_relaxed);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < workers; ++i) threads.emplace_back([&pool] { pool->work(); });
  for (Item other = 1; other < producers; ++other) threads.emplace_back([&pool, other] { pool->produce(other); });
  pool->produce(0);
  pool->done.acquire();
  pool->sleepers.stop(workers);
  for (std::thread &thread : threads) thread.join();
  assert(pool->queue.empty());
}

}  // namespace

int main(int, char **arguments) {
  const std::string_view weaker = arguments[1];
  const auto producers = static_cast<Item>(std::atoi(arguments[2]));
  const auto workers = static_cast<std::size_t>(std::atoi(arguments[3]));
  if (weaker == "none") run(producers, workers);
  if (weaker == "push") run<std::memory_order_release>(producers, workers);
  if (weaker == "announcement") run<std::memory_order_seq_cst, std::memory_order_relaxed>(producers, workers);
}
