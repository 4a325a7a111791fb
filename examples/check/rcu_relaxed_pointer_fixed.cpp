// The store that publishes a version releases what is in it.
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

struct Version {
  std::atomic<int> low{0};
  std::atomic<int> high{10};
};

Version versions[2];
std::atomic<Version *> current{&versions[0]};

void update() {
  const Version *old = current.load(std::memory_order_relaxed);
  Version *fresh = &versions[1];
  fresh->low.store(old->low.load(std::memory_order_relaxed) + 20, std::memory_order_relaxed);
  fresh->high.store(old->high.load(std::memory_order_relaxed) + 20, std::memory_order_relaxed);
  // Ordering: releases what is in the version.
  current.store(fresh, std::memory_order_release);
}

void look() {
  const Version *version = current.load(std::memory_order_acquire);
  const int low = version->low.load(std::memory_order_relaxed);
  const int high = version->high.load(std::memory_order_relaxed);
  assert(high - low == 10);
}

}  // namespace

int main() {
  std::thread writer(update);
  std::thread reader(look);
  writer.join();
  reader.join();
}
