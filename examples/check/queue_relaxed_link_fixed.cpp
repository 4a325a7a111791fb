// The link releases the node, whether it is found by the tail or by the link.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
// memory: cpp20
#include <atomic>
#include <cassert>
#include <thread>

namespace {

struct Node {
  std::atomic<int> value{0};
  std::atomic<Node *> next{nullptr};
};

// The first one stands before the first element. Lifetime: nodes are never given back.
Node nodes[2];
std::atomic<Node *> head{&nodes[0]};
std::atomic<Node *> tail{&nodes[0]};

void push(Node *node, int value) {
  node->value.store(value, std::memory_order_relaxed);
  for (;;) {
    Node *last = tail.load(std::memory_order_acquire);
    Node *next = last->next.load(std::memory_order_acquire);
    if (next != nullptr) {
      tail.compare_exchange_strong(last, next, std::memory_order_release, std::memory_order_relaxed);
    } else if (last->next.compare_exchange_weak(next, node, std::memory_order_release, std::memory_order_relaxed)) {
      tail.compare_exchange_strong(last, node, std::memory_order_release, std::memory_order_relaxed);
      return;
    }
  }
}

// Returns 0 if the queue is empty.
int pop() {
  for (;;) {
    Node *first = head.load(std::memory_order_acquire);
    Node *last = tail.load(std::memory_order_acquire);
    Node *next = first->next.load(std::memory_order_acquire);
    if (next == nullptr) return 0;
    if (first == last) {
      tail.compare_exchange_strong(last, next, std::memory_order_release, std::memory_order_relaxed);
    } else {
      const int value = next->value.load(std::memory_order_relaxed);
      assert(value != 0);
      if (head.compare_exchange_weak(first, next, std::memory_order_acq_rel, std::memory_order_relaxed)) return value;
    }
  }
}

}  // namespace

int main() {
  std::thread producer(push, &nodes[1], 7);
  std::thread consumer(pop);
  producer.join();
  consumer.join();
}
