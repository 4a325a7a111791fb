// The head carries a version that every change increases, so it is never the same again and the exchange fails.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
#include <atomic>
#include <cassert>
#include <thread>

namespace {

constexpr int none = -1;

struct Node {
  std::atomic<int> next{none};
  std::atomic<bool> in_use{false};
};

struct alignas(8) Head {
  int top = none;
  unsigned version = 0;
};

Node nodes[2];
std::atomic<Head> head{Head{}};

void push(int node) {
  nodes[node].in_use.store(false);
  Head old = head.load();
  do {
    nodes[node].next.store(old.top);
  } while (!head.compare_exchange_weak(old, Head{node, old.version + 1}));
}

int pop() {
  Head old = head.load();
  while (old.top != none && !head.compare_exchange_weak(old, Head{nodes[old.top].next.load(), old.version + 1})) {
  }
  const int top = old.top;
  const bool in_use = top != none && nodes[top].in_use.exchange(true);
  assert(!in_use);
  return top;
}

void pop_both_and_return_the_first() {
  const int first = pop();
  pop();
  if (first != none) push(first);
}

}  // namespace

int main() {
  push(1);
  push(0);
  std::thread one(pop);
  std::thread other(pop_both_and_return_the_first);
  one.join();
  other.join();
  while (pop() != none) {
  }
}
