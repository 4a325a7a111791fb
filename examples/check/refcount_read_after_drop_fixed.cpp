// The subtraction itself tells the thread whether it was the last.
//
// verdict: clean
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
  if (shared->references.fetch_sub(1) == 1) delete shared;
}

}  // namespace

int main() {
  auto *shared = new Shared;
  std::thread one(drop, shared);
  std::thread other(drop, shared);
  one.join();
  other.join();
}
