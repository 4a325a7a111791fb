// The server waits until it is asked.
//
// verdict: clean
// sanitizer: none
// points: sync
// threads: 3
#include <atomic>
#include <thread>

namespace {

std::atomic<bool> asked{false};
std::atomic<bool> answered{false};

void ask() {
  asked.store(true);
  while (!answered.load()) std::this_thread::yield();
}

void serve() {
  while (!asked.load()) std::this_thread::yield();
  answered.store(true);
}

}  // namespace

int main() {
  std::thread client(ask);
  std::thread server(serve);
  client.join();
  server.join();
}
