// `quick_exit` runs the handlers of `at_quick_exit`, the last one first, and those that they register; no others, and no
// destructors.
//
// ending: status 42
#include <unistd.h>

#include <cstdlib>

namespace {

int calls = 0;

struct Static {
  ~Static() { std::abort(); }
} never_destroyed;

thread_local Static never_destroyed_either;

void last() { _exit(calls == 12 ? 42 : calls); }

void first() {
  calls = calls * 10 + 2;
  std::at_quick_exit(last);
}

void before_first() { calls = calls * 10 + 1; }

}  // namespace

int main() {
  static_cast<void>(&never_destroyed_either);
  std::atexit([] { std::abort(); });
  std::at_quick_exit([] { std::abort(); });
  std::at_quick_exit(first);
  std::at_quick_exit(before_first);
  std::quick_exit(7);
}
