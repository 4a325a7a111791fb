// A queue with two producers and a consumer; the status tells whose item came first, and the clock runs along.
//
// ending: status 1
// ending: status 2
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace {

std::mutex lock;
std::condition_variable filled;
std::deque<int> items;

void produce(int item) {
  {
    std::lock_guard guard(lock);
    items.push_back(item);
  }
  filled.notify_one();
}

int take() {
  std::unique_lock guard(lock);
  filled.wait(guard, [] { return !items.empty(); });
  const int item = items.front();
  items.pop_front();
  return item;
}

}  // namespace

int main() {
  const auto start = std::chrono::steady_clock::now();
  std::thread one(produce, 1);
  std::thread two(produce, 2);
  const int first = take();
  assert(take() == 3 - first);
  one.join();
  two.join();
  assert(std::chrono::steady_clock::now() > start);
  return first;
}
