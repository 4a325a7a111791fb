// The storage of a thread is its own from the creation to the join, whenever it is first used, so libraries know threads
// by the addresses of their thread_local variables.
//
// ending: status 0
#include <cassert>
#include <thread>

static thread_local int mine;
static int *seen[3];

static void note(int number) {
  seen[number] = &mine;
  assert(++mine == 1);
}

int main() {
  std::thread one(note, 0);
  std::thread two(note, 1);
  one.join();
  std::thread three(note, 2);
  two.join();
  three.join();
  assert(seen[0] != seen[1] && seen[1] != seen[2]);
}
