// The buyer's thread catches the exception.
//
// verdict: clean
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
  try {
    if (stock.load() > 0) buy();
  } catch (const std::runtime_error &) {
    // Too late: somebody else bought the last one.
  }
}

}  // namespace

int main() {
  std::thread one(shop);
  std::thread other(shop);
  one.join();
  other.join();
}
