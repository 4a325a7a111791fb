// Running several tasks at once for one that waits for all of them to end.
#pragma once

#include "runtime/promise.hpp"
#include "runtime/task.hpp"

#include <atomic>
#include <concepts>
#include <cstddef>
#include <stop_token>
#include <utility>
#include <variant>

namespace threadbare::runtime {

/// The frame of a task in a collection of them.
inline OwnedFrame &frame_of(OwnedFrame &task) noexcept { return task; }

/// The frame of a task in a collection of tasks of several kinds.
template <std::derived_from<OwnedFrame>... Tasks>
OwnedFrame &frame_of(std::variant<Tasks...> &task) noexcept {
  return *std::visit([](auto &held) -> OwnedFrame * { return &held; }, task);
}

/// Counts the tasks that have not ended; the last one to end resumes the waiter.
template <class Policy>
class Gather : public Completion {
 public:
  /// Begins `count` tasks, `frame_at(i)` each; at least one. The waiter is suspended, and is resumed when
  /// all have ended. The result is what the thread resumes.
  template <class FrameAt>
  std::coroutine_handle<> begin(PromiseBase &parent, std::coroutine_handle<> handle, const std::stop_token *stop,
                                std::size_t count, FrameAt frame_at) noexcept {
    waiter_ = handle;
    waiter_affinity_ = parent.affinity;
    // Ordering: relaxed; the tasks see it through the queues.
    pending_.store(count, std::memory_order_relaxed);
    Executor &executor = *parent.executor;
    const Affinity running = parent.affinity;
    for (std::size_t i = 0;; ++i) {
      OwnedFrame &frame = frame_at(i);
      PromiseBase &promise = *frame.promise();
      promise.executor = &executor;
      promise.completion = this;
      promise.stop = stop;
      // Lifetime: when the last one is handed over, the waiter may run on and destroy this object and the
      // tasks. Not before, since the one that is not handed over has not ended.
      if (i + 1 == count) return executor.hand_over(running, promise.affinity, frame.handle(), promise.link);
      executor.push(promise.affinity, frame.handle(), promise.link);
    }
  }

  std::coroutine_handle<> complete(PromiseBase &ended) noexcept override {
    Executor &executor = *ended.executor;
    const Affinity running = ended.affinity;
    const std::coroutine_handle<> waiter = waiter_;
    const Affinity waiter_affinity = waiter_affinity_;
    // Lifetime: after its own step down, whoever is not last must not touch this object or its frame.
    if (pending_.fetch_sub(1, Policy::publish) != 1) return executor.next(running);
    // Lifetime: the frame of `ended` is the waiter's, so it stays until that runs.
    return executor.hand_over(running, waiter_affinity, waiter, ended.link);
  }

 protected:
  ~Gather() = default;

 private:
  std::atomic<std::size_t> pending_{0};
  std::coroutine_handle<> waiter_;
  Affinity waiter_affinity_ = Affinity::Main;
};

template <class Task>
struct PolicyOf;
template <Affinity A, class T, class Policy>
struct PolicyOf<Task<A, T, Policy>> {
  using Type = Policy;
};
template <class First, class... Rest>
struct PolicyOf<std::variant<First, Rest...>> : PolicyOf<First> {};

}  // namespace threadbare::runtime
