// The owner takes the last element without competing for it. A thief that has already looked at the deque takes it
// too.
//
// verdict: failed-assertion
// sanitizer: none
// points: sync
// threads: 3
#include <atomic>
#include <cassert>
#include <thread>

namespace {

// One element, at place 0: it is there while top < bottom.
std::atomic<int> top{0};
std::atomic<int> bottom{1};
std::atomic<int> executed{0};

void take() {
  const int place = bottom.load() - 1;
  bottom.store(place);
  int first = top.load();
  bool won = first <= place;
  if (won) executed.fetch_add(1);
}

void steal() {
  int first = top.load();
  if (first < bottom.load() && top.compare_exchange_strong(first, first + 1)) executed.fetch_add(1);
}

}  // namespace

int main() {
  std::thread owner(take);
  std::thread thief(steal);
  owner.join();
  thief.join();
  assert(executed.load() == 1);
}
