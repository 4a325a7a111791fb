#include "check.hpp"
#include "runtime/registry.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>

using namespace threadbare::runtime;

namespace {

constexpr std::size_t unlimited = SIZE_MAX;

/// How many more allocations succeed.
std::size_t allocations_left = unlimited;

}  // namespace

// Not inlined: g++ would warn of memory from operator new that goes to `free`.
[[gnu::noinline]] void *operator new(std::size_t size) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left != unlimited) --allocations_left;
  if (void *const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void *memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }

namespace {

constexpr Pair pair{3, 7};

/// Of one arc that is looked at twice: had nothing happened to it in between?
bool untouched(const std::optional<Arc> &before, const std::optional<Arc> &after) {
  if (!before || !after) return !before && !after;
  return before->state == after->state && before->phase == after->phase && before->started == after->started &&
         before->events.size() == after->events.size();
}

/// Calls `operation` with the first, the second... allocation failing until it succeeds. While it fails, the
/// registry and what its callback told must stay as they were. Gives how often it failed.
template <class Operation>
std::size_t failures_that_change_nothing(const Registry &registry, const std::size_t &told, Operation operation) {
  const std::optional<Arc> before = registry.status(pair);
  const std::size_t active = registry.active();
  const std::size_t told_before = told;
  for (std::size_t allowed = 0;; ++allowed) {
    bool failed = false;
    allocations_left = allowed;
    try {
      operation();
    } catch (const std::bad_alloc &) {
      failed = true;
    }
    allocations_left = unlimited;
    if (!failed) return allowed;
    CHECK(untouched(before, registry.status(pair)));
    CHECK(registry.active() == active);
    CHECK(told == told_before);
  }
}

}  // namespace

TEST("a call that runs out of memory changes and announces nothing") {
  std::size_t told = 0;
  Registry registry([&told](Pair, ArcEvent, const Arc &) { ++told; });
  const auto failures = [&](auto operation) { return failures_that_change_nothing(registry, told, operation); };
  // From the second round on there is an ended arc too.
  for (std::size_t round = 1; round <= 3; ++round) {
    CHECK(failures([&] { registry.start(pair); }) > 0);
    CHECK(failures([&] { registry.progress(pair); }) > 0);
    CHECK(failures([&] { static_cast<void>(registry.status(pair)); }) > 0);
    CHECK(failures([&] { registry.process_all([](Pair, const Arc &) {}); }) > 0);
    CHECK(failures([&] { registry.complete(pair); }) > 0);
    CHECK(told == 3 * round);
  }
}
