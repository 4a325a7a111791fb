// Chase and Lev's work-stealing deque. The thief may read an end from before the owner took an element, although it knows a
// beginning from after that: both execute one element.
//
// verdict: failed-assertion
// sanitizer: none
// points: sync
// threads: 3
// memory: cpp20
// twin: deque_fixed.cpp
#include <atomic>
#include <cassert>
#include <thread>

namespace {

std::atomic<long> top{0};
std::atomic<long> bottom{0};
std::atomic<int> elements[2]{};
std::atomic<int> executed[4]{};

void execute(int element) {
  assert(element != 0);
  const int before = executed[element].fetch_add(1, std::memory_order_relaxed);
  assert(before == 0);
}

bool claim(long index) {
  return top.compare_exchange_strong(index, index + 1, std::memory_order_seq_cst, std::memory_order_relaxed);
}

void push(int element) {
  const long end = bottom.load(std::memory_order_relaxed);
  elements[end % 2].store(element, std::memory_order_relaxed);
  // Ordering: whoever sees the new end sees the element.
  std::atomic_thread_fence(std::memory_order_release);
  bottom.store(end + 1, std::memory_order_relaxed);
}

void take() {
  const long last = bottom.load(std::memory_order_relaxed) - 1;
  bottom.store(last, std::memory_order_relaxed);
  // Ordering: either the thief sees the new end, or this sees what it has claimed.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const long first = top.load(std::memory_order_relaxed);
  const int element = elements[last % 2].load(std::memory_order_relaxed);
  if (first < last || (first == last && claim(first))) execute(element);
  if (first >= last) bottom.store(last + 1, std::memory_order_relaxed);
}

void steal() {
  const long first = top.load(std::memory_order_acquire);
  // Ordering: both acquire, but the end may be older than the beginning.
  if (first >= bottom.load(std::memory_order_acquire)) return;
  const int element = elements[first % 2].load(std::memory_order_relaxed);
  if (claim(first)) execute(element);
}

void own() {
  take();
  push(3);
}

void rob() {
  steal();
  steal();
}

}  // namespace

int main() {
  push(1);
  push(2);
  std::thread owner(own);
  std::thread thief(rob);
  owner.join();
  thief.join();
}
