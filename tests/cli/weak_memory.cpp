// Small programs with two or more threads, of which each fails where a load reads what no interleaving lets it read. The
// argument says which one is executed.
#include <atomic>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using std::memory_order_acq_rel, std::memory_order_acquire, std::memory_order_relaxed, std::memory_order_release,
    std::memory_order_seq_cst;

static std::atomic<int> x{0}, y{0}, z{0};
static int seen[4];

static void run(std::vector<std::function<void()>> bodies) {
  std::vector<std::thread> threads;
  for (auto &body : bodies) threads.emplace_back(body);
  for (auto &thread : threads) thread.join();
}

// Both threads store, then load what the other one stored.
template <std::memory_order Store, std::memory_order Load>
static void store_buffering() {
  run({[] { x.store(1, Store); seen[0] = y.load(Load); }, [] { y.store(1, Store); seen[1] = x.load(Load); }});
  assert(seen[0] == 1 || seen[1] == 1);
}

static void store_buffering_with_fences() {
  const auto fence = [] { std::atomic_thread_fence(memory_order_seq_cst); };
  run({[=] { x.store(1, memory_order_relaxed); fence(); seen[0] = y.load(memory_order_relaxed); },
       [=] { y.store(1, memory_order_relaxed); fence(); seen[1] = x.load(memory_order_relaxed); }});
  assert(seen[0] == 1 || seen[1] == 1);
}

static void store_buffering_with_exchange() {
  run({[] { x.exchange(1, memory_order_relaxed); seen[0] = y.load(memory_order_relaxed); },
       [] { y.exchange(1, memory_order_relaxed); seen[1] = x.load(memory_order_relaxed); }});
  assert(seen[0] == 1 || seen[1] == 1);
}

// One thread stores a value and then a flag.
template <std::memory_order Store, std::memory_order Load>
static void message_passing() {
  run({[] { x.store(1, memory_order_relaxed); y.store(1, Store); },
       [] { if (y.load(Load)) assert(x.load(memory_order_relaxed) == 1); }});
}

template <std::memory_order Release, std::memory_order Acquire>
static void message_passing_with_fences() {
  run({[] { x.store(1, memory_order_relaxed); std::atomic_thread_fence(Release); y.store(1, memory_order_relaxed); },
       [] {
         if (!y.load(memory_order_relaxed)) return;
         std::atomic_thread_fence(Acquire);
         assert(x.load(memory_order_relaxed) == 1);
       }});
}

// A read-modify-write goes on with the release sequence, a store does not.
template <bool Modifies>
static void release_sequence() {
  run({[] {
         x.store(1, memory_order_relaxed);
         y.store(1, memory_order_release);
         if (Modifies) y.fetch_add(1, memory_order_relaxed); else y.store(2, memory_order_relaxed);
       },
       [] { if (y.load(memory_order_acquire) == 2) assert(x.load(memory_order_relaxed) == 1); }});
}

// Two readers disagree on the order of two stores.
template <std::memory_order Load>
static void independent_reads() {
  run({[] { x.store(1, Load == memory_order_seq_cst ? memory_order_seq_cst : memory_order_release); },
       [] { y.store(1, Load == memory_order_seq_cst ? memory_order_seq_cst : memory_order_release); },
       [] { seen[0] = x.load(Load); seen[1] = y.load(Load); }, [] { seen[2] = y.load(Load); seen[3] = x.load(Load); }});
  assert(!(seen[0] == 1 && seen[1] == 0 && seen[2] == 1 && seen[3] == 0));
}

// Two locations are stored to in opposite orders.
static void two_and_two_writes() {
  run({[] { x.store(1, memory_order_relaxed); y.store(2, memory_order_relaxed); },
       [] { y.store(1, memory_order_relaxed); x.store(2, memory_order_relaxed); }});
  assert(!(x.load() == 1 && y.load() == 1));
}

// Coherence: a thread does not go back to an older store of one location.
static void coherence() {
  run({[] { x.store(1, memory_order_relaxed); x.store(2, memory_order_relaxed); },
       [] {
         const int first = x.load(memory_order_relaxed);
         assert(x.load(memory_order_relaxed) >= first);
       }});
}

// A compare-exchange that fails is a load with the other order.
template <std::memory_order Failure>
static void failed_exchange() {
  run({[] { x.store(1, memory_order_relaxed); y.store(1, memory_order_release); },
       [] {
         int expected = 5;
         y.compare_exchange_strong(expected, 6, memory_order_acq_rel, Failure);
         if (expected == 1) assert(x.load(memory_order_relaxed) == 1);
       }});
}

// A successful one reads the newest store.
static void counted() {
  const auto add = [] { for (int i = 0; i < 2; i++) x.fetch_add(1, memory_order_relaxed); };
  run({add, add});
  assert(x.load(memory_order_relaxed) == 4);
}

// Locks, joins and creations order what is relaxed.
static void locked() {
  static std::mutex mutex;
  const auto add = [] {
    const std::lock_guard guard(mutex);
    x.store(x.load(memory_order_relaxed) + 1, memory_order_relaxed);
  };
  run({add, add});
  assert(x.load(memory_order_relaxed) == 2);
}

// Memory that is used again holds nothing of what was there before.
static void used_again() {
  run({[] {
    for (int round = 0; round < 4; round++) {
      auto *value = new std::atomic<int>(0);
      std::thread other([=] { value->store(round + 1, memory_order_relaxed); value->store(0, memory_order_relaxed); });
      other.join();
      delete value;
      auto *next = new std::atomic<int>(0);
      std::thread reader([=] { assert(next->load(memory_order_relaxed) == 0); });
      reader.join();
      delete next;
    }
  }});
}

// Parts of a location, of other sizes.
static void mixed_sizes() {
  static union { std::uint32_t word; std::uint8_t bytes[4]; } place;
  run({[] { __atomic_store_n(&place.word, 0x01010101U, __ATOMIC_RELAXED); y.store(1, memory_order_release); },
       [] {
         if (!y.load(memory_order_acquire)) return;
         assert(__atomic_load_n(&place.bytes[1], __ATOMIC_RELAXED) == 1);
       }});
}

// Two words at once.
struct Pair {
  std::uint64_t one, other;
};
template <bool Orders>
static void wide() {
  static std::atomic<Pair> pair{Pair{0, 0}};
  run({[] { x.store(1, memory_order_relaxed); pair.store(Pair{1, 1}, Orders ? memory_order_release : memory_order_relaxed); },
       [] {
         const Pair now = pair.load(memory_order_acquire);
         assert(now.one == now.other);
         if (now.one) assert(x.load(memory_order_relaxed) == 1);
       }});
}

// A wait for a value ends, and what was stored before it is seen.
static void waited() {
  run({[] { x.store(1, memory_order_relaxed); y.store(1, memory_order_release); y.notify_one(); },
       [] { y.wait(0, memory_order_acquire); assert(x.load(memory_order_relaxed) == 1); }});
}

static void spun() {
  run({[] { x.store(1, memory_order_relaxed); y.store(1, memory_order_release); },
       [] { while (!y.load(memory_order_acquire)) {} assert(x.load(memory_order_relaxed) == 1); }});
}

// The variable of a function is initialised once, before whoever finds it so.
static void initialised_once() {
  struct Table {
    Table() { value.store(7, memory_order_relaxed); }
    std::atomic<int> value{0};
  };
  const auto look = [] {
    static Table table;
    assert(table.value.load(memory_order_relaxed) == 7);
  };
  run({look, look});
}

int main(int, char **arguments) {
  const struct {
    const char *name;
    void (*body)();
  } programs[] = {
      {"store-buffering", store_buffering<memory_order_release, memory_order_acquire>},
      {"store-buffering-seq-cst", store_buffering<memory_order_seq_cst, memory_order_seq_cst>},
      {"store-buffering-fences", store_buffering_with_fences},
      {"store-buffering-exchange", store_buffering_with_exchange},
      {"message-relaxed-store", message_passing<memory_order_relaxed, memory_order_acquire>},
      {"message-relaxed-load", message_passing<memory_order_release, memory_order_relaxed>},
      {"message", message_passing<memory_order_release, memory_order_acquire>},
      {"message-fences", message_passing_with_fences<memory_order_release, memory_order_acquire>},
      {"message-fences-turned", message_passing_with_fences<memory_order_acquire, memory_order_acquire>},
      {"release-sequence", release_sequence<true>},
      {"release-sequence-broken", release_sequence<false>},
      {"independent-reads", independent_reads<memory_order_acquire>},
      {"independent-reads-seq-cst", independent_reads<memory_order_seq_cst>},
      {"two-and-two-writes", two_and_two_writes},
      {"coherence", coherence},
      {"failed-exchange-acquire", failed_exchange<memory_order_acquire>},
      {"failed-exchange-relaxed", failed_exchange<memory_order_relaxed>},
      {"counted", counted},
      {"locked", locked},
      {"used-again", used_again},
      {"mixed-sizes", mixed_sizes},
      {"wide", wide<true>},
      {"wide-relaxed", wide<false>},
      {"waited", waited},
      {"spun", spun},
      {"initialised-once", initialised_once},
  };
  for (const auto &program : programs) {
    if (std::strcmp(program.name, arguments[1]) == 0) program.body();
  }
}
