// Every thread has its own copy of a thread_local variable, made when the thread first uses it and destroyed when it
// ends, main's before what is static.
//
// ending: status 42
#include <atomic>
#include <cassert>
#include <thread>
#include <unistd.h>

namespace {

std::atomic<int> made{0};
std::atomic<int> destroyed{0};

struct Counter {
  Counter() { ++made; }
  ~Counter() { ++destroyed; }
  int value = 10;
};

struct Last {
  ~Last() { _exit(made == 3 && destroyed == 3 ? 42 : 1); }
} last;

thread_local int plain = 5;
thread_local int zero;
thread_local Counter counter;
thread_local const int *const own = &plain;

void use() {
  assert(plain == 5 && zero == 0 && own == &plain);
  for (int i = 0; i < 3; ++i) {
    ++plain;
    --zero;
    ++counter.value;
  }
  assert(plain == 8 && zero == -3 && counter.value == 13);
}

}  // namespace

int main() {
  std::thread first(use);
  std::thread second(use);
  first.join();
  assert(destroyed >= 1);
  second.join();
  assert(made == 2 && destroyed == 2);
  use();
  return 0;
}
