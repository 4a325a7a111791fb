// A signal interrupts its thread some time after it was sent: before or after that thread sees what the sender did next,
// and while it waits too, whose wait goes on then.
//
// ending: status 1
// ending: status 2
// ending: status 3
#include <pthread.h>

#include <atomic>
#include <cassert>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

namespace {

std::atomic<int> handled{0};
std::atomic<bool> sent{false};
std::mutex mutex;
std::condition_variable condition;
bool ready = false;
pthread_t receiver;

void handle(int signal) {
  assert(signal == SIGUSR1);
  assert(pthread_equal(pthread_self(), receiver));
  ++handled;
}

}  // namespace

int main() {
  std::signal(SIGUSR1, handle);
  int status = 0;
  std::atomic<bool> begun{false};
  std::thread thread([&] {
    receiver = pthread_self();
    begun = true;
    if (sent) status = handled ? 1 : 2;
    std::unique_lock lock(mutex);
    // A wait that a handler interrupts is no wake-up, and a notification meanwhile is not lost.
    if (!ready) condition.wait(lock);
    assert(ready);
  });
  while (!begun) std::this_thread::yield();
  pthread_kill(thread.native_handle(), SIGUSR1);
  sent = true;
  {
    const std::lock_guard lock(mutex);
    ready = true;
    condition.notify_one();
  }
  thread.join();
  assert(handled <= 1);
  return status == 0 ? 3 : status;
}
