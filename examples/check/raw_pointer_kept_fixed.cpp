// The reader keeps a shared pointer of its own, so the message lives as long as the reader needs it.
//
// verdict: clean
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
  std::thread reader([kept = message] { total += kept->length; });
  message.reset();
  reader.join();
  return total == 7 ? 0 : 1;
}
