// A reader stops being one before it waits to write, so nobody waits for it.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
#include <condition_variable>
#include <mutex>
#include <thread>

namespace {

std::mutex mutex;
std::condition_variable left;
int readers = 0;
int value = 0;

void read_then_write() {
  std::unique_lock lock(mutex);
  ++readers;
  lock.unlock();
  // Here it reads the value, together with the other readers.
  lock.lock();
  --readers;
  left.notify_one();
  left.wait(lock, [] { return readers == 0; });
  ++value;
}

}  // namespace

int main() {
  std::thread one(read_then_write);
  std::thread other(read_then_write);
  one.join();
  other.join();
}
