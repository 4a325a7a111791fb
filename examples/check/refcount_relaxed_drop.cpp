// Whoever gives the last reference back deletes the object, but has not acquired what the other owner did with it before:
// it may read what was there before that. (The deletion is a data race as well, which ThreadSanitizer sees in
// interleavings.)
//
// verdict: failed-assertion
// sanitizer: none
// points: sync
// threads: 3
// memory: cpp20
#include <atomic>
#include <cassert>
#include <thread>

namespace {

struct Shared {
  std::atomic<int> references{2};
  std::atomic<int> results[2]{};
};

// Lifetime: whoever gives the last reference back deletes the object.
void work(Shared *shared, int self) {
  shared->results[self].store(1, std::memory_order_relaxed);
  // Ordering: releases what this owner did, and acquires nothing.
  if (shared->references.fetch_sub(1, std::memory_order_release) != 1) return;
  const int sum =
      shared->results[0].load(std::memory_order_relaxed) + shared->results[1].load(std::memory_order_relaxed);
  assert(sum == 2);
  delete shared;
}

}  // namespace

int main() {
  auto *shared = new Shared;
  std::thread one(work, shared, 0);
  std::thread other(work, shared, 1);
  one.join();
  other.join();
}
