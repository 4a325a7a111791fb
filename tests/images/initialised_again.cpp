// What is initialised once is tried again after an exception, by a thread that waited or by a later one. What the attempt
// did that failed happens before the next.
//
// ending: status 0
#include <cassert>
#include <mutex>
#include <stdexcept>
#include <thread>

static std::once_flag once;
static int calls, constructions, ready;

static void initialise() {
  if (calls++ == 0) throw std::runtime_error("the first call");
  ready = 1;
}

struct Settings {
  Settings() {
    if (constructions++ == 0) throw std::runtime_error("the first construction");
    value = 7;
  }
  int value;
};

static Settings &settings() {
  static Settings only;
  return only;
}

static void use() {
  try {
    std::call_once(once, initialise);
    assert(ready == 1);
  } catch (const std::runtime_error &) {
  }
  try {
    assert(settings().value == 7);
  } catch (const std::runtime_error &) {
  }
}

int main() {
  std::thread one(use);
  std::thread other(use);
  use();
  one.join();
  other.join();
  assert(calls == 2 && constructions == 2);
}
