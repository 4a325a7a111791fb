// Two threads of Boost.Asio's pool run coroutines that a strand keeps apart.
#include <boost/asio.hpp>

#include <cassert>
#include <chrono>

using namespace std::chrono_literals;

static boost::asio::awaitable<void> add(int &sum, int times) {
  for (int i = 0; i < times; ++i) {
    ++sum;
    co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
  }
}

int main() {
  int sum = 0;
  std::atomic<int> fired = 0;
  {
    boost::asio::thread_pool pool(2);
    auto strand = boost::asio::make_strand(pool);
    for (int i = 0; i < 2; ++i) boost::asio::co_spawn(strand, add(sum, 2), boost::asio::detached);
    boost::asio::post(pool, [&] { fired.fetch_add(1); });
    pool.join();
  }
  assert(sum == 4);
  assert(fired == 1);
  return 0;
}
