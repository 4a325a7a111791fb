// A lock lets one thread at a time append.
//
// verdict: clean
// sanitizer: thread
// points: memory
// threads: 3
#include <cassert>
#include <mutex>
#include <thread>
#include <vector>

namespace {

std::mutex mutex;
std::vector<int> entries;

void append(int entry) {
  const std::lock_guard lock(mutex);
  entries.push_back(entry);
}

}  // namespace

int main() {
  std::thread one(append, 1);
  std::thread other(append, 2);
  one.join();
  other.join();
  assert(entries.size() == 2);
}
