// The price is looked up under the lock, but returned by reference and read without it. Meanwhile the vector may
// grow and move its elements.
//
// verdict: memory-error or data-race
// sanitizer: address
// points: memory
// threads: 3
#include <cassert>
#include <mutex>
#include <thread>
#include <vector>

namespace {

std::mutex mutex;
std::vector<int> prices{5};

const int &first_price() {
  const std::lock_guard lock(mutex);
  return prices.front();
}

void look() { assert(first_price() == 5); }

void add() {
  const std::lock_guard lock(mutex);
  prices.push_back(6);
}

}  // namespace

int main() {
  std::thread reader(look);
  std::thread writer(add);
  reader.join();
  writer.join();
}
