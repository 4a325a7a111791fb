// A fence keeps the reader's second look after its announcement, as one keeps the writer's look after the replacement.
//
// verdict: clean
// sanitizer: address
// points: memory
// threads: 3
// memory: cpp20
#include <atomic>
#include <cassert>
#include <thread>

namespace {

struct Node {
  int value;
};

std::atomic<Node *> current{nullptr};
std::atomic<Node *> hazard{nullptr};

void look() {
  Node *node = nullptr;
  Node *found = current.load(std::memory_order_acquire);
  while (found != node) {
    node = found;
    hazard.store(node, std::memory_order_release);
    // Ordering: either this sees that the node was replaced, or the writer sees the announcement.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    found = current.load(std::memory_order_acquire);
  }
  assert(node->value != 0);
  // Ordering: releases the end of the use.
  hazard.store(nullptr, std::memory_order_release);
}

void replace() {
  Node *old = current.exchange(new Node{2}, std::memory_order_acq_rel);
  // Ordering: as the reader's.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  while (hazard.load(std::memory_order_acquire) == old) std::this_thread::yield();
  delete old;
}

}  // namespace

int main() {
  current.store(new Node{1});
  std::thread reader(look);
  std::thread writer(replace);
  reader.join();
  writer.join();
  delete current.load();
}
