// Functions with races and without, for threadbare's own detector; the argument says which are called: `racy`, `clean`, or one
// of those with a race.
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {
void both(const std::function<void()>& one, const std::function<void()>& other) {
  std::thread first(one), second(other);
  first.join();
  second.join();
}

int plain;
std::atomic<int> flag;
std::mutex mutex;

void counts() { ++plain; }
void looks() { std::printf("%s", plain == 77 ? " " : ""); }

void counted() { both(counts, counts); }
void read_and_written() { both(counts, looks); }
void initialised() {
  auto* const box = new std::atomic<int>(0);
  both([=] { ::new (static_cast<void*>(box)) std::atomic<int>(1); }, [=] { box->load(); });
  delete box;
}
void locked_by_one() {
  both([] { const std::lock_guard lock(mutex); counts(); }, counts);
}
void relaxed_flag() {
  both([] { plain = 1; flag.store(1, std::memory_order_relaxed); },
       [] { if (flag.load(std::memory_order_relaxed) != 0) looks(); });
}
void freed() {
  auto* const box = new int(5);
  both([=] { delete box; }, [=] { flag.store(*box, std::memory_order_relaxed); });
}
// It is freed after every look at it, but nothing orders that: no execution uses it after it was freed.
void freed_unordered() {
  auto* const box = new int(5);
  both([=] { flag.fetch_add(*box, std::memory_order_relaxed); },
       [=] { if (flag.load(std::memory_order_relaxed) != 0) delete box; });
}
void on_the_stack() {
  int local = 0;
  both([&] { ++local; }, [&] { ++local; });
}
void copied() {
  auto* const text = static_cast<char*>(std::calloc(64, 1));
  both([=] { std::memcpy(text + 8, "abcdefgh", 8); }, [=] { text[12] = 'x'; });
  std::free(text);
}
// More accesses to one place than a shadow word has room for.
void crowded() {
  std::vector<std::thread> readers;
  auto* const box = new int(5);
  std::thread writer([=] { *box = 6; });
  for (int reader = 0; reader < 6; ++reader) readers.emplace_back([=] { flag.fetch_add(*box, std::memory_order_relaxed); });
  for (auto& reader : readers) reader.join();
  writer.join();
  delete box;
}

void freed_in_order() {
  auto* const box = new int(5);
  both([=] { flag.fetch_add(*box, std::memory_order_release); },
       [=] { if (flag.load(std::memory_order_acquire) != 0) delete box; });
}
// Each may free what the other one has allocated and used.
void handed_over() {
  std::vector<std::unique_ptr<int>> boxes;
  const auto use = [&] {
    for (int round = 0; round < 3; ++round) {
      const std::lock_guard lock(mutex);
      if (!boxes.empty() && *boxes.front() == 1) boxes.erase(boxes.begin());
      boxes.push_back(std::make_unique<int>(round));
    }
  };
  both(use, use);
}
void locked() {
  const auto count = [] { const std::lock_guard lock(mutex); counts(); };
  both(count, count);
}
void released() {
  both([] { plain = 1; flag.store(1, std::memory_order_release); },
       [] { if (flag.load(std::memory_order_acquire) != 0) looks(); });
}
void fenced() {
  both([] { plain = 1; std::atomic_thread_fence(std::memory_order_release); flag.store(1, std::memory_order_relaxed); },
       [] {
         if (flag.load(std::memory_order_relaxed) == 0) return;
         std::atomic_thread_fence(std::memory_order_acquire);
         looks();
       });
}
void created_and_joined() {
  plain = 1;
  std::thread thread([] { counts(); std::thread(counts).join(); counts(); });
  thread.join();
  both(looks, looks);
  counts();
}
void notified() {
  static std::condition_variable changed;
  both([] { { const std::lock_guard lock(mutex); plain = 1; } changed.notify_one(); },
       [] { std::unique_lock lock(mutex); changed.wait(lock, [] { return plain == 1; }); plain = 2; });
}
void shared() {
  static std::shared_mutex shared;
  const auto read = [] { const std::shared_lock lock(shared); looks(); };
  both([=] { read(); const std::unique_lock lock(shared); counts(); }, read);
}
void posted() {
  static std::counting_semaphore<4> semaphore(0);
  both([] { counts(); semaphore.release(); }, [] { semaphore.acquire(); counts(); });
}
void called_once() {
  static std::once_flag once;
  const auto call = [] { std::call_once(once, counts); looks(); };
  both(call, call);
}
void made_once() {
  struct Made { int value = 3; };
  const auto use = [] { static Made made; static const std::string text("a text that is too long to be short"); plain == made.value + static_cast<int>(text.size()) ? looks() : looks(); };
  both(use, use);
}
void counted_references() {
  auto shared = std::make_shared<std::string>("a text that is too long to be short");
  both([copy = shared] { if (copy->size() == 3) looks(); }, [copy = shared] { if (copy->empty()) looks(); });
  shared->clear();
}
// Whoever is given a block knows nothing of who had it before.
void used_again() {
  const auto use = [] {
    for (int round = 0; round < 3; ++round) {
      auto box = std::make_unique<int>(round);
      ++*box;
      char* const copy = strdup("a text");
      copy[0] = 'A';
      std::free(copy);
      char* printed = nullptr;
      if (asprintf(&printed, "%d", round) > 0) printed[0] = 'x';
      std::free(printed);
      std::string text(40, 'a');
      text += 'b';
      auto* grown = static_cast<char*>(std::malloc(10));
      grown[3] = 1;
      grown = static_cast<char*>(std::realloc(grown, 3000));
      grown[3] = 2;
      std::free(grown);
    }
  };
  both(use, use);
}
void stacks_used_again() {
  const auto use = [] { volatile int local[64]; for (auto& one : local) one = 1; };
  both([=] { std::thread(use).detach(); }, [=] { std::thread(use).detach(); std::thread(use).detach(); });
}
void of_each_thread() {
  static thread_local std::string text;
  static thread_local int number;
  const auto use = [] { text = "a text that is too long to be short"; number = static_cast<int>(text.size()); };
  both([=] { use(); std::thread(use).join(); }, [=] { std::thread(use).join(); use(); });
}
void thrown() {
  const auto fails = [] { try { throw std::string("a text that is too long to be short"); } catch (const std::string& text) { if (text.empty()) looks(); } };
  both(fails, fails);
}
struct Base { virtual ~Base() = default; virtual int size() { return 1; } };
struct Derived : Base { ~Derived() override { size(); } int size() override { return 2; } };
void destroyed_after() {
  auto* const object = new Derived;
  both([=] { object->size(); flag.fetch_add(1, std::memory_order_release); },
       [=] { if (flag.load(std::memory_order_acquire) == 1) object->size(); });
  delete static_cast<Base*>(object);
}
}  // namespace

int main(int, char** arguments) {
  const std::string_view asked = arguments[1];
  const std::pair<std::string_view, void (*)()> racy[] = {
      {"counted", counted},
      {"read-and-written", read_and_written},
      {"initialised", initialised},
      {"locked-by-one", locked_by_one},
      {"relaxed-flag", relaxed_flag},
      {"freed-unordered", freed_unordered},
      {"on-the-stack", on_the_stack},
      {"copied", copied},
      {"crowded", crowded},
  };
  void (*const clean[])() = {
      locked,      released,  fenced,      created_and_joined, notified,   shared,            posted,
      called_once, made_once, counted_references, used_again,  stacks_used_again, of_each_thread, thrown,
      destroyed_after, freed_in_order, handed_over,
  };
  for (const auto& [name, run] : racy) {
    if (asked != "racy" && asked != name) continue;
    plain = 0;
    flag = 0;
    run();
  }
  if (asked == "freed") freed();
  if (asked != "clean") return 0;
  for (const auto run : clean) {
    plain = 0;
    flag = 0;
    run();
  }
}
