// An exception that leaves a thread's function ends the program, whose other threads stop where they are.
//
// ending: exception game::Over
#include <thread>

namespace game {
struct Over {};
}  // namespace game

int main() {
  std::thread other([] { std::this_thread::yield(); });
  std::thread thrower([] { throw game::Over(); });
  other.join();
  thrower.join();
}
