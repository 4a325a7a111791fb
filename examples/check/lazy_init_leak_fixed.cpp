// The pointer is set by a compare-exchange, and who loses frees its own table.
//
// verdict: clean
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
  Table *none = nullptr;
  auto *mine = new Table;
  if (!table.compare_exchange_strong(none, mine)) delete mine;
}

}  // namespace

int main() {
  std::thread one(prepare);
  std::thread other(prepare);
  one.join();
  other.join();
  delete table.load();
}
