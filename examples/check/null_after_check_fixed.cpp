// The reader loads the pointer once, and uses what it has looked at.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
#include <atomic>
#include <thread>

namespace {

struct Configuration {
  std::atomic<int> limit{7};
};

Configuration configuration;
std::atomic<Configuration *> current{&configuration};
std::atomic<int> limit{0};

void look() {
  Configuration *seen = current.load();
  if (seen != nullptr) limit.store(seen->limit.load());
}

void withdraw() { current.store(nullptr); }

}  // namespace

int main() {
  std::thread reader(look);
  std::thread writer(withdraw);
  reader.join();
  writer.join();
}
