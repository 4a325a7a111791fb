// A reader announces by a hazard pointer which node it uses, and looks whether that is still the current one. Nothing keeps
// this look after the announcement: the node may be replaced meanwhile, and deleted by one that has seen no announcement.
//
// verdict: memory-error or data-race
// sanitizer: address
// points: memory
// threads: 3
// memory: tso
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
    // Ordering: the load may come before the store.
    found = current.load(std::memory_order_acquire);
  }
  assert(node->value != 0);
  // Ordering: releases the end of the use.
  hazard.store(nullptr, std::memory_order_release);
}

void replace() {
  Node *old = current.exchange(new Node{2}, std::memory_order_acq_rel);
  // Ordering: either the reader sees that the node was replaced, or this sees its announcement.
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
