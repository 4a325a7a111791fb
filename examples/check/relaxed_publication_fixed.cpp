// The flag is stored with release and loaded with acquire, which orders the message before it.
//
// verdict: clean
// sanitizer: thread
// points: memory
// threads: 3
#include <atomic>
#include <cassert>
#include <thread>

namespace {

int message = 0;
std::atomic<bool> ready{false};

void publish() {
  message = 42;
  // Ordering: releases the message to the reader, which acquires the flag.
  ready.store(true, std::memory_order_release);
}

void look() {
  while (!ready.load(std::memory_order_acquire)) std::this_thread::yield();
  assert(message == 42);
}

}  // namespace

int main() {
  std::thread writer(publish);
  std::thread reader(look);
  writer.join();
  reader.join();
}
