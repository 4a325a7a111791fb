// Looking and claiming the answer are one exchange, so one thread answers.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
#include <atomic>
#include <cassert>
#include <future>
#include <thread>

namespace {

std::atomic<bool> answered{false};

void answer(std::promise<int> &promise) {
  if (!answered.exchange(true)) promise.set_value(42);
}

}  // namespace

int main() {
  std::promise<int> promise;
  std::thread one(answer, std::ref(promise));
  std::thread other(answer, std::ref(promise));
  assert(promise.get_future().get() == 42);
  one.join();
  other.join();
}
