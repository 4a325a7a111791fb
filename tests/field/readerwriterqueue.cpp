// One producer and one consumer, once over the queue that grows and once over the one that waits.
#include <readerwriterqueue/readerwriterqueue.h>

#include <cassert>
#include <thread>

int main() {
  moodycamel::ReaderWriterQueue<int> queue(1);
  moodycamel::BlockingReaderWriterQueue<int> waiting(1);
  std::thread producer([&] {
    for (int i = 0; i < 3; ++i) queue.enqueue(i);
    for (int i = 0; i < 2; ++i) waiting.enqueue(i);
  });
  int next = 0;
  int value = -1;
  for (int i = 0; i < 2; ++i) {
    if (queue.try_dequeue(value)) assert(value == next++);
  }
  for (int i = 0; i < 2; ++i) {
    waiting.wait_dequeue(value);
    assert(value == i);
  }
  producer.join();
  while (queue.try_dequeue(value)) assert(value == next++);
  assert(next == 3);
  return 0;
}
