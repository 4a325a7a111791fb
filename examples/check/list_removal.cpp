// A node is taken out of the list and deleted at once, while a reader that came before may still stand on it.
//
// verdict: memory-error or data-race
// sanitizer: address
// points: sync
// threads: 3
#include <atomic>
#include <thread>

namespace {

struct Node {
  std::atomic<int> value;
  std::atomic<Node *> next;
};

std::atomic<Node *> head{nullptr};
std::atomic<int> total{0};

void look() {
  for (Node *node = head.load(); node != nullptr; node = node->next.load()) total.fetch_add(node->value.load());
}

void remove_first() {
  Node *first = head.load();
  head.store(first->next.load());
  delete first;
}

}  // namespace

int main() {
  head.store(new Node{2, nullptr});
  head.store(new Node{1, head.load()});
  std::thread reader(look);
  std::thread remover(remove_first);
  reader.join();
  remover.join();
  delete head.load();
}
