// Awaits within an affinity and across, on schedulers of 1, 2 and 4 threads.
#include "bugs/lost_notify.hpp"
#include "bugs/transfer_frame_leak.hpp"
#include "probes/scenarios/scenario.hpp"
#include "probes/scenarios/threads.hpp"
#include "runtime/runtime.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <utility>
#include <vector>

namespace threadbare {

namespace {

using runtime::Affinity;
using runtime::Correct;

template <class Policy, Affinity A, class T = int>
using Task = runtime::Task<A, T, Policy>;

constexpr Affinity other(Affinity affinity) noexcept {
  return affinity == Affinity::Main ? Affinity::Worker : Affinity::Main;
}

/// Counts coroutine frames, by what is made and destroyed with each.
class Frames {
 public:
  /// A parameter of every coroutine.
  class Mark {
   public:
    // Ordering: relaxed, here and below, or the counts would order what the scenario is to find unordered.
    explicit Mark(Frames &frames) noexcept : frames_(&frames) { frames.made_.fetch_add(1, std::memory_order_relaxed); }
    Mark(Mark &&moved) noexcept : frames_(std::exchange(moved.frames_, nullptr)) {}
    Mark &operator=(Mark &&) = delete;
    ~Mark() {
      if (frames_) frames_->destroyed_.fetch_add(1, std::memory_order_relaxed);
    }

   private:
    Frames *frames_;
  };

  Mark mark() noexcept { return Mark(*this); }

  [[nodiscard]] unsigned made() const noexcept { return made_; }
  [[nodiscard]] unsigned destroyed() const noexcept { return destroyed_; }

 private:
  std::atomic<unsigned> made_{0};
  std::atomic<unsigned> destroyed_{0};
};

struct Failure {
  int value;
};

/// Awaits `depth` tasks, one inside the other, each of the other affinity.
template <class Policy, Affinity A, int depth>
Task<Policy, A> alternate(Frames &frames, Frames::Mark, int value) {
  if constexpr (depth == 0) {
    co_return value;
  } else {
    co_return co_await alternate<Policy, other(A), depth - 1>(frames, frames.mark(), value);
  }
}

constexpr int chain_count = 4;

template <class Policy>
Task<Policy, Affinity::Main> run_nested(Frames &frames, Frames::Mark) {
  std::vector<runtime::JoinHandle<int, Policy>> started;
  for (int chain = 1; chain < chain_count; ++chain) {
    started.push_back(co_await runtime::start(alternate<Policy, Affinity::Worker, 3>(frames, frames.mark(), chain)));
  }
  int sum = co_await alternate<Policy, Affinity::Main, 3>(frames, frames.mark(), chain_count);
  for (auto &chain : started) sum += co_await std::move(chain);
  co_return sum;
}

/// `co_return co_await inner()`, three deep, across affinities each time: 4 of them at once.
template <class Policy, unsigned threads>
std::int64_t nested_awaits() {
  Expectations expect;
  Frames frames;
  {
    runtime::BasicScheduler<Policy> scheduler(threads);
    expect(scheduler.run(run_nested<Policy>(frames, frames.mark())) == 1 + 2 + 3 + 4);
  }
  expect(frames.made() == 1 + 4 * 4);
  expect(frames.destroyed() == frames.made());
  return expect.result();
}

template <class Policy, Affinity A>
Task<Policy, A> fail(Frames::Mark, int value) {
  co_await runtime::yield();
  throw Failure{value};
}

template <class Policy, Affinity A, Affinity B>
Task<Policy, A> await_failing(Frames &frames, Frames::Mark, int value) {
  co_return co_await fail<Policy, B>(frames.mark(), value);
}

/// Fails in a task of affinity B, and catches two awaits away, in one of the affinity that awaits.
template <class Policy, Affinity A, Affinity B>
Task<Policy, Affinity::Main> catch_failing(Frames &frames, Frames::Mark, int value) {
  try {
    co_return co_await await_failing<Policy, A, B>(frames, frames.mark(), value);
  } catch (const Failure &failure) {
    co_return 10 * failure.value;
  }
}

template <class Policy>
Task<Policy, Affinity::Main> run_failing(Frames &frames, Frames::Mark) {
  auto started =
      co_await runtime::start(await_failing<Policy, Affinity::Worker, Affinity::Main>(frames, frames.mark(), 1));
  std::vector<Task<Policy, Affinity::Worker>> group;
  for (const int value : {2, 2}) group.push_back(fail<Policy, Affinity::Worker>(frames.mark(), value));
  int sum = 0;
  sum += co_await catch_failing<Policy, Affinity::Main, Affinity::Main>(frames, frames.mark(), 1);
  sum += co_await catch_failing<Policy, Affinity::Main, Affinity::Worker>(frames, frames.mark(), 2);
  sum += co_await catch_failing<Policy, Affinity::Worker, Affinity::Main>(frames, frames.mark(), 3);
  sum += co_await catch_failing<Policy, Affinity::Worker, Affinity::Worker>(frames, frames.mark(), 4);
  try {
    sum += co_await std::move(started);
  } catch (const Failure &failure) {
    sum += 1000 * failure.value;
  }
  try {
    const std::vector<int> results = co_await runtime::when_all(std::move(group));
    sum += results.front();
  } catch (const Failure &failure) {
    sum += 1000 * failure.value;
  }
  co_return sum;
}

/// An exception crosses an await of each kind: within main and worker, from either to the other, of a handle, and
/// of a group.
template <class Policy, unsigned threads>
std::int64_t exceptions() {
  Expectations expect;
  Frames frames;
  {
    runtime::BasicScheduler<Policy> scheduler(threads);
    expect(scheduler.run(run_failing<Policy>(frames, frames.mark())) == 10 * (1 + 2 + 3 + 4) + 1000 * (1 + 2));
  }
  expect(frames.made() == 1 + 2 + 2 + 4 * 3);
  expect(frames.destroyed() == frames.made());
  return expect.result();
}

template <class Policy, Affinity A>
Task<Policy, A> wait_for_ever(Frames::Mark, runtime::Event &never) {
  co_await never.wait();
  co_return 0;
}

template <class Policy, Affinity A>
Task<Policy, A> await_waiting(Frames &frames, Frames::Mark, runtime::Event &never) {
  co_return co_await wait_for_ever<Policy, other(A)>(frames.mark(), never);
}

template <class Policy, Affinity A>
Task<Policy, A> sleep_long(Frames::Mark) {
  co_await runtime::sleep_for(std::chrono::hours(1));
  co_return 0;
}

/// Starts 7 tasks, and leaves them wherever they have got to.
template <class Policy>
Task<Policy, Affinity::Main> run_abandoning(Frames &frames, Frames::Mark, runtime::Event &never) {
  // Its end detaches them.
  std::vector<runtime::JoinHandle<int, Policy>> left;
  left.push_back(co_await runtime::start(await_waiting<Policy, Affinity::Main>(frames, frames.mark(), never)));
  left.push_back(co_await runtime::start(await_waiting<Policy, Affinity::Worker>(frames, frames.mark(), never)));
  left.push_back(co_await runtime::start(sleep_long<Policy, Affinity::Main>(frames.mark())));
  left.push_back(co_await runtime::start(sleep_long<Policy, Affinity::Worker>(frames.mark())));
  left.push_back(co_await runtime::start(alternate<Policy, Affinity::Main, 3>(frames, frames.mark(), 1)));
  left.push_back(co_await runtime::start(alternate<Policy, Affinity::Worker, 3>(frames, frames.mark(), 1)));
  left.push_back(co_await runtime::start(alternate<Policy, Affinity::Worker, 3>(frames, frames.mark(), 1)));
  co_await runtime::yield();
  co_return 1;
}

/// Shutdown while tasks wait, sleep, run and stand in queues: every frame that was made is destroyed once.
template <class Policy, unsigned threads>
std::int64_t shutdown() {
  Expectations expect;
  Frames frames;
  runtime::Event never(runtime::EventReset::Manual);
  {
    runtime::BasicScheduler<Policy> scheduler(threads);
    expect(scheduler.run(run_abandoning<Policy>(frames, frames.mark(), never)) == 1);
  }
  expect(frames.destroyed() == frames.made());
  return expect.result();
}

// g++ compiles symmetric transfer to a tail call from -O2 on, but not under a sanitizer, where every await takes stack.
#if defined(__clang__) || !(defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__))
constexpr int chain_length = 3000;
#else
constexpr int chain_length = 300;
#endif

template <class Policy, Affinity A>
Task<Policy, A> descend(int depth) {
  if (depth == 0) co_return 0;
  co_return 1 + co_await descend<Policy, A>(depth - 1);
}

template <class Policy>
Task<Policy, Affinity::Main> run_chains() {
  auto on_workers = co_await runtime::start(descend<Policy, Affinity::Worker>(chain_length));
  const int sum = co_await descend<Policy, Affinity::Main>(chain_length);
  co_return sum + co_await std::move(on_workers);
}

/// Two chains of some thousands of awaits, each within an affinity.
template <class Policy, unsigned threads>
std::int64_t long_chains() {
  Expectations expect;
  runtime::BasicScheduler<Policy> scheduler(threads);
  expect(scheduler.run(run_chains<Policy>()) == 2 * chain_length);
  return expect.result();
}

constexpr std::array all{
    Scenario{"transfer-nested-on-1-thread", "", 100, nested_awaits<Correct, 1>},
    Scenario{"transfer-nested-on-2-threads", "", 550, nested_awaits<Correct, 2>},
    Scenario{"transfer-nested-on-4-threads", "", 700, nested_awaits<Correct, 4>},
    Scenario{"transfer-nested-on-2-threads", "transfer-frame-leak", 550, nested_awaits<bug::TransferFrameLeak, 2>},
    Scenario{"transfer-nested-on-4-threads", "lost-notify", 700, nested_awaits<bug::LostNotify, 4>},
    Scenario{"transfer-exceptions-on-1-thread", "", 150, exceptions<Correct, 1>},
    Scenario{"transfer-exceptions-on-2-threads", "", 450, exceptions<Correct, 2>},
    Scenario{"transfer-exceptions-on-4-threads", "", 550, exceptions<Correct, 4>},
    Scenario{"transfer-shutdown-on-1-thread", "", 250, shutdown<Correct, 1>},
    Scenario{"transfer-shutdown-on-2-threads", "", 300, shutdown<Correct, 2>},
    Scenario{"transfer-shutdown-on-4-threads", "", 450, shutdown<Correct, 4>},
    Scenario{"transfer-shutdown-on-4-threads", "transfer-frame-leak", 450, shutdown<bug::TransferFrameLeak, 4>},
    Scenario{"transfer-long-chains-on-1-thread", "", 25, long_chains<Correct, 1>},
    Scenario{"transfer-long-chains-on-2-threads", "", 60, long_chains<Correct, 2>},
    Scenario{"transfer-long-chains-on-4-threads", "", 100, long_chains<Correct, 4>},
};

}  // namespace

std::span<const Scenario> transfer_scenarios() noexcept { return all; }

}  // namespace threadbare
