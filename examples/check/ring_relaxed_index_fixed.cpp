// The consumer acquires the producer's index, and with it the slot.
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

constexpr int count = 3;
constexpr unsigned size = 2;
std::atomic<int> slots[size]{};
std::atomic<unsigned> written{0};
std::atomic<unsigned> taken{0};

void produce() {
  for (int value = 1; value <= count; ++value) {
    const unsigned index = written.load(std::memory_order_relaxed);
    // Ordering: acquires that the slot was read.
    while (index - taken.load(std::memory_order_acquire) == size) std::this_thread::yield();
    slots[index % size].store(value, std::memory_order_relaxed);
    // Ordering: releases the slot.
    written.store(index + 1, std::memory_order_release);
  }
}

void consume() {
  for (int value = 1; value <= count; ++value) {
    const unsigned index = taken.load(std::memory_order_relaxed);
    // Ordering: acquires the slot.
    while (written.load(std::memory_order_acquire) == index) std::this_thread::yield();
    const int found = slots[index % size].load(std::memory_order_relaxed);
    assert(found == value);
    // Ordering: releases that the slot was read.
    taken.store(index + 1, std::memory_order_release);
  }
}

}  // namespace

int main() {
  std::thread producer(produce);
  std::thread consumer(consume);
  producer.join();
  consumer.join();
}
