// The reader reads again if a write was under way when it began, but not if one came while it read: it sees one old
// and one new value.
//
// verdict: failed-assertion
// sanitizer: none
// points: sync
// threads: 3
#include <atomic>
#include <cassert>
#include <thread>

namespace {

std::atomic<unsigned> sequence{0};
std::atomic<int> x{0};
std::atomic<int> y{0};

void change() {
  sequence.fetch_add(1);
  x.store(1);
  y.store(1);
  sequence.fetch_add(1);
}

void look() {
  unsigned before = 0;
  int seen_x = 0;
  int seen_y = 0;
  do {
    std::this_thread::yield();
    before = sequence.load();
    seen_x = x.load();
    seen_y = y.load();
  } while (before % 2 != 0);
  assert(seen_x == seen_y);
}

}  // namespace

int main() {
  std::thread writer(change);
  std::thread reader(look);
  writer.join();
  reader.join();
}
