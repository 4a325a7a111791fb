// Each thread looks whether the question is answered, and answers if not. Both may find it open; the second answer
// throws std::future_error.
//
// verdict: uncaught-exception
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
  if (!answered.load()) {
    answered.store(true);
    promise.set_value(42);
  }
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
