// The worker says that it has finished before its last write to the session, and main deletes the session on that
// word.
//
// verdict: memory-error or data-race
// sanitizer: address
// points: memory
// threads: 2
#include <atomic>
#include <thread>

namespace {

struct Session {
  std::atomic<bool> finished{false};
  int answers = 0;
};

void serve(Session *session) {
  session->finished.store(true);
  session->answers = 1;
}

}  // namespace

int main() {
  // Lifetime: main owns the session and lends it to the worker.
  auto *session = new Session;
  std::thread worker(serve, session);
  while (!session->finished.load()) std::this_thread::yield();
  delete session;
  worker.join();
}
