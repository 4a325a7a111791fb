// Masks are those of threads, which inherit them. What everyone blocks waits for whoever takes it, and what the process is
// sent goes to any thread that lets it in. All of it begins anew in each execution.
//
// ending: status 1
// ending: status 2
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cassert>
#include <csignal>
#include <thread>

namespace {

std::atomic<int> taker{0};
thread_local int number = 1;

void handle(int) { taker = number; }

sigset_t only(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  return set;
}

bool is_blocked(int signal) {
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, signal) == 1;
}

bool is_pending(int signal) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, signal) == 1;
}

void begins_as_a_process() {
  struct sigaction action;
  assert(sigaction(SIGUSR1, nullptr, &action) == 0 && action.sa_handler == SIG_DFL);
  assert(!is_blocked(SIGUSR1) && !is_blocked(SIGUSR2) && !is_pending(SIGUSR2));
}

void waits_for_what_is_blocked() {
  const sigset_t set = only(SIGUSR2);
  std::thread waiter([&] {
    assert(is_blocked(SIGUSR2));
    int signal = 0;
    assert(sigwait(&set, &signal) == 0 && signal == SIGUSR2);
  });
  kill(getpid(), SIGUSR2);
  waiter.join();
  assert(!is_pending(SIGUSR2));
  assert(raise(SIGUSR2) == 0 && is_pending(SIGUSR2));
}

}  // namespace

int main() {
  begins_as_a_process();
  const sigset_t set = only(SIGUSR2);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  waits_for_what_is_blocked();
  std::signal(SIGUSR1, handle);
  std::thread other([] {
    number = 2;
    while (taker == 0) std::this_thread::yield();
  });
  kill(getpid(), SIGUSR1);
  while (taker == 0) std::this_thread::yield();
  other.join();
  return taker;
}
