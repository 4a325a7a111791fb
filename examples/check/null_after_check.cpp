// The reader looks whether the pointer is null and loads it again to use it. It may have become null in between.
//
// verdict: crash
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
  if (current.load() != nullptr) limit.store(current.load()->limit.load());
}

void withdraw() { current.store(nullptr); }

}  // namespace

int main() {
  std::thread reader(look);
  std::thread writer(withdraw);
  reader.join();
  writer.join();
}
