// Two threads of asio's pool run coroutines that a strand keeps apart.
#include <asio.hpp>

#include <cassert>
#include <chrono>

using namespace std::chrono_literals;

static asio::awaitable<void> add(int &sum, int times) {
  for (int i = 0; i < times; ++i) {
    ++sum;
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }
}

int main() {
  int sum = 0;
  std::atomic<int> fired = 0;
  {
    asio::thread_pool pool(2);
    auto strand = asio::make_strand(pool);
    for (int i = 0; i < 2; ++i) asio::co_spawn(strand, add(sum, 2), asio::detached);
    asio::post(pool, [&] { fired.fetch_add(1); });
    pool.join();
  }
  assert(sum == 4);
  assert(fired == 1);
  return 0;
}
