// A thread gives its reference back and then reads the count to see whether it was the last. Two threads may both
// read zero: the second one reads freed memory, or frees it again.
//
// verdict: memory-error or data-race
// sanitizer: address
// points: sync
// threads: 3
#include <atomic>
#include <thread>

namespace {

struct Shared {
  std::atomic<int> references{2};
};

// Lifetime: whoever gives the last reference back deletes the object.
void drop(Shared *shared) {
  shared->references.fetch_sub(1);
  if (shared->references.load() == 0) delete shared;
}

}  // namespace

int main() {
  auto *shared = new Shared;
  std::thread one(drop, shared);
  std::thread other(drop, shared);
  one.join();
  other.join();
}
