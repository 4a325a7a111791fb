// What lies behind a loop that waits for so many rounds and then goes on is reached: others need not run meanwhile. The
// status tells after which loops the writer was still between its two stores.
//
// executions: 2000
// ending: status 0
// ending: status 1
// ending: status 2
// ending: status 4
#include <atomic>
#include <thread>

namespace {

std::atomic<int> stage{0};

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

void yield_often() {
  for (int round = 0; round < 100 && stage == 1; ++round) std::this_thread::yield();
}

// As the C++ library does before it sleeps.
void pause_then_yield() {
  for (int round = 0; round < 16 && stage == 1; ++round) {
    if (round < 12) {
      pause();
    } else {
      std::this_thread::yield();
    }
  }
}

void back_off() {
  for (int pauses = 1; pauses < 64 && stage == 1; pauses *= 2) {
    for (int count = 0; count < pauses; ++count) pause();
  }
}

}  // namespace

int main() {
  std::atomic<int> which{0};
  std::thread writer([&] {
    stage = 1;
    stage = 2;
  });
  std::thread chooser([&] { which = 1; });
  std::thread another([&] { which = 2; });
  int stale = 0;
  if (stage == 1) {
    const int chosen = which;
    if (chosen == 0) yield_often();
    if (chosen == 1) pause_then_yield();
    if (chosen == 2) back_off();
    if (stage == 1) stale = 1 << chosen;
  }
  writer.join();
  chooser.join();
  another.join();
  return stale;
}
