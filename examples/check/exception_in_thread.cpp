// A buyer looks whether there is stock and then buys, which throws when the other buyer was faster. Nothing catches
// the exception in its thread.
//
// verdict: uncaught-exception
// sanitizer: none
// points: sync
// threads: 3
#include <atomic>
#include <stdexcept>
#include <thread>

namespace {

std::atomic<int> stock{1};

void buy() {
  if (stock.fetch_sub(1) <= 0) throw std::runtime_error("sold out");
}

void shop() {
  if (stock.load() > 0) buy();
}

}  // namespace

int main() {
  std::thread one(shop);
  std::thread other(shop);
  one.join();
  other.join();
}
