// A fence keeps the notifier's look for waiters after what it notifies of, as one keeps the waiter's last look after its
// announcement.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
// memory: cpp20
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace {

std::atomic<int> waiters{0};
std::mutex mutex;
std::condition_variable changed;
int epoch = 0;

std::atomic<bool> ready{false};

int announce() {
  waiters.fetch_add(1, std::memory_order_relaxed);
  // Ordering: either this sees what was stored, or the notifier sees the announcement.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const std::lock_guard lock(mutex);
  return epoch;
}

void sleep_since(int seen) {
  std::unique_lock lock(mutex);
  changed.wait(lock, [seen] { return epoch != seen; });
}

void notify() {
  // Ordering: as in `announce`.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (waiters.load(std::memory_order_relaxed) == 0) return;
  {
    const std::lock_guard lock(mutex);
    ++epoch;
  }
  changed.notify_all();
}

void consume() {
  while (!ready.load(std::memory_order_acquire)) {
    const int seen = announce();
    if (!ready.load(std::memory_order_acquire)) sleep_since(seen);
    waiters.fetch_sub(1, std::memory_order_relaxed);
  }
}

void produce() {
  ready.store(true, std::memory_order_release);
  notify();
}

}  // namespace

int main() {
  std::thread consumer(consume);
  std::thread producer(produce);
  consumer.join();
  producer.join();
}
