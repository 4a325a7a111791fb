// Two threads append to one vector without a lock. Both may write the same place, or one the memory that the other
// has just given back.
//
// verdict: data-race
// sanitizer: thread
// points: memory
// threads: 3
#include <cassert>
#include <thread>
#include <vector>

namespace {

std::vector<int> entries;

void append(int entry) {
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
