// Threads start threads, and join them or leave them to others; what they throw is caught where they throw it.
//
// ending: status 0
#include <atomic>
#include <cassert>
#include <stdexcept>
#include <thread>
#include <utility>

namespace {

std::atomic<int> leaves{0};

void grow(int depth) {
  if (depth == 0) {
    try {
      throw std::runtime_error("leaf");
    } catch (const std::exception &) {
      ++leaves;
    }
    return;
  }
  std::thread left(grow, depth - 1);
  grow(depth - 1);
  left.join();
}

}  // namespace

int main() {
  std::thread handed_on;
  std::thread([&] { handed_on = std::thread(grow, 1); }).join();
  grow(3);
  handed_on.join();
  assert(leaves == 10);
  return 0;
}
