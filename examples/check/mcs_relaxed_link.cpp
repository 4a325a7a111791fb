// Mellor-Crummey and Scott's queue lock. A thread links its node to the one before it by a relaxed store, so the holder that
// finds it there may hand the lock over before the node says that its thread waits, which then waits for ever.
//
// verdict: livelock
// sanitizer: none
// points: sync
// threads: 3
// memory: cpp20
#include <atomic>
#include <cassert>
#include <thread>

namespace {

struct Node {
  std::atomic<Node *> next{nullptr};
  std::atomic<bool> waits{false};
};

std::atomic<Node *> tail{nullptr};
int counter = 0;

void lock(Node &own) {
  own.waits.store(true, std::memory_order_relaxed);
  // Ordering: acquires the section of whoever had the lock before, and releases the node.
  Node *before = tail.exchange(&own, std::memory_order_acq_rel);
  if (before == nullptr) return;
  // Ordering: relaxed, so that nothing orders that the thread waits before.
  before->next.store(&own, std::memory_order_relaxed);
  while (own.waits.load(std::memory_order_acquire)) std::this_thread::yield();
}

void unlock(Node &own) {
  Node *after = own.next.load(std::memory_order_acquire);
  if (after == nullptr) {
    Node *last = &own;
    // Ordering: releases the section to whoever comes next.
    if (tail.compare_exchange_strong(last, nullptr, std::memory_order_release, std::memory_order_relaxed)) return;
    while ((after = own.next.load(std::memory_order_acquire)) == nullptr) std::this_thread::yield();
  }
  // Ordering: releases the section to the thread that waits.
  after->waits.store(false, std::memory_order_release);
}

void add() {
  Node own;
  lock(own);
  ++counter;
  unlock(own);
}

}  // namespace

int main() {
  std::thread one(add);
  std::thread other(add);
  one.join();
  other.join();
  assert(counter == 2);
}
