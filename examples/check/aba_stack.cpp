// Between a pop's look at the head and its exchange, the other thread pops both nodes and pushes the first one back.
// The exchange succeeds, since the head is the same again, and puts on the stack a node that is in use.
//
// verdict: failed-assertion
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

Node nodes[2];
std::atomic<int> head{none};

void push(int node) {
  nodes[node].in_use.store(false);
  int top = head.load();
  do {
    nodes[node].next.store(top);
  } while (!head.compare_exchange_weak(top, node));
}

int pop() {
  int top = head.load();
  while (top != none && !head.compare_exchange_weak(top, nodes[top].next.load())) {
  }
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
