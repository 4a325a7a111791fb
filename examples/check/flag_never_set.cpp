// The server looks once whether it was asked, and answers if so. If it looks before the question, the client spins
// for ever.
//
// verdict: livelock
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
  if (asked.load()) answered.store(true);
}

}  // namespace

int main() {
  std::thread client(ask);
  std::thread server(serve);
  client.join();
  server.join();
}
