// Waiting for the first of several tasks.
#pragma once

#include "runtime/gather.hpp"

#include <atomic>
#include <cassert>
#include <cstddef>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

namespace threadbare::runtime {

/// See `when_any`.
template <class Item>
class WhenAny final : Gather<typename PolicyOf<Item>::Type> {
  using Base = Gather<typename PolicyOf<Item>::Type>;

 public:
  explicit WhenAny(std::span<Item> tasks) : tasks_(tasks) { assert(!tasks.empty() && "nobody could win"); }

  [[nodiscard]] static bool await_ready() noexcept { return false; }

  // Not inlined: see FinalSuspend.
  template <Promise P>
  [[gnu::noinline]] std::coroutine_handle<> await_suspend(std::coroutine_handle<P> awaiting) {
    PromiseBase &parent = awaiting.promise();
    if (parent.stop && parent.stop->stop_possible()) forward_.emplace(*parent.stop, ForwardStop{&source_});
    return this->begin(parent, awaiting, &token_, tasks_.size(),
                       [tasks = tasks_](std::size_t i) -> OwnedFrame & { return frame_of(tasks[i]); });
  }

  /// The position of the winner.
  std::size_t await_resume() noexcept {
    const PromiseBase *winner = winner_.load(std::memory_order_relaxed);
    std::size_t position = 0;
    while (frame_of(tasks_[position]).promise() != winner) ++position;
    return position;
  }

  std::coroutine_handle<> complete(PromiseBase &ended) noexcept override {
    PromiseBase *nobody = nullptr;
    // Ordering: relaxed; the waiter reads it after the count of all tasks has come down to it.
    if (winner_.compare_exchange_strong(nobody, &ended, std::memory_order_relaxed)) source_.request_stop();
    // Lifetime: only this step down lets the waiter go on, so the source was still there.
    return Base::complete(ended);
  }

 private:
  struct ForwardStop {
    std::stop_source *source;
    void operator()() const noexcept { source->request_stop(); }
  };

  std::span<Item> tasks_;
  std::atomic<PromiseBase *> winner_{nullptr};
  std::stop_source source_;
  std::stop_token token_ = source_.get_token();
  // Lifetime: declared after the source, so destroyed before it; its destructor waits for a call of it that
  // runs on another thread.
  std::optional<std::stop_callback<ForwardStop>> forward_;
};

/// `co_await when_any(tasks)` runs tasks at once and gives the position of the first one that ends, by value
/// or by exception; its `result()` gives or throws it. The others are asked to stop and waited for. A stop
/// that is asked of the awaiting task reaches all of them. The items, at least one, are tasks or variants
/// of tasks, and stay where they are.
template <class Item>
auto when_any(std::vector<Item> &tasks) {
  return WhenAny<Item>(tasks);
}

}  // namespace threadbare::runtime
