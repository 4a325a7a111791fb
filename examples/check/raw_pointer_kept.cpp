// The reader keeps the raw pointer out of a shared pointer. When the last shared pointer goes, the reader's one
// dangles.
//
// verdict: memory-error or data-race
// sanitizer: address
// points: memory
// threads: 2
#include <memory>
#include <thread>

namespace {

struct Message {
  int length = 7;
};

int total = 0;

}  // namespace

int main() {
  auto message = std::make_shared<Message>();
  std::thread reader([kept = message.get()] { total += kept->length; });
  message.reset();
  reader.join();
  return total == 7 ? 0 : 1;
}
