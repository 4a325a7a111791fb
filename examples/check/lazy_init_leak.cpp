// Two threads may both find no table and both make one. The second store overwrites the pointer to the first table,
// which nobody frees.
//
// verdict: leak
// sanitizer: address
// points: sync
// threads: 3
#include <atomic>
#include <thread>

namespace {

struct Table {
  int rows = 0;
};

std::atomic<Table *> table{nullptr};

void prepare() {
  if (table.load() != nullptr) return;
  table.store(new Table);
}

}  // namespace

int main() {
  std::thread one(prepare);
  std::thread other(prepare);
  one.join();
  other.join();
  delete table.load();
}
