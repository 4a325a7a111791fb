// The flag that announces the message is stored relaxed. The reader may see the flag without the message.
//
// verdict: data-race
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
  // Ordering: relaxed, so that nothing orders the message before the flag.
  ready.store(true, std::memory_order_relaxed);
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
