// Three threads copy and drop pointers that count in the object: the last one, and no other, destroys it.
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <cassert>
#include <thread>

static int alive = 0;

struct Object : boost::intrusive_ref_counter<Object, boost::thread_safe_counter> {
  int value = 0;
  Object() { ++alive; }
  ~Object() { --alive; }
};

int main() {
  std::thread threads[2];
  {
    boost::intrusive_ptr<Object> object(new Object);
    object->value = 7;
    for (auto &thread : threads) {
      thread = std::thread([object] {
        auto copy = object;
        assert(copy->value == 7);
      });
    }
  }
  for (auto &thread : threads) thread.join();
  assert(alive == 0);
  return 0;
}
