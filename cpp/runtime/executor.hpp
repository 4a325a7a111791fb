// What coroutines need of the scheduler that runs them.
#pragma once

#include "runtime/affinity.hpp"
#include "runtime/queue/spill.hpp"
#include "runtime/roots.hpp"

#include <coroutine>

namespace threadbare::runtime {

struct Timer;

/// What a queue may link a suspended coroutine by. There is one in each promise: each coroutine is in one queue at a
/// time, so being queued never takes memory that may not be there.
using ReadyLink = QueueLink<std::coroutine_handle<>>;

/// The side of a scheduler that coroutines see; the same for every policy.
class Executor {
 public:
  Executor(const Executor &) = delete;
  Executor &operator=(const Executor &) = delete;

  /// Queues a suspended coroutine. Any thread may call it. `link` is in its frame, or in one that stays at least
  /// until the coroutine has been resumed.
  ///
  /// Lifetime: when this returns, the coroutine may have run, ended and been freed, and with it whatever
  /// object the caller is a member of. Callers touch nothing but their own locals afterwards.
  virtual void push(Affinity affinity, std::coroutine_handle<> coroutine, ReadyLink &link) noexcept = 0;

  /// What the calling thread goes on with after code of affinity `running` has suspended on it: the next
  /// ready coroutine that the thread may run, or a no-op coroutine. Never null.
  virtual std::coroutine_handle<> next(Affinity running) noexcept = 0;

  /// Arms a timer; the main thread pushes its coroutine once the deadline has passed. See `push` about
  /// what the caller may touch afterwards. Where memory runs out, this throws and the timer is not armed.
  virtual void add(Timer &timer) = 0;

  /// Disarms a timer that has not expired.
  virtual void remove(Timer &timer) noexcept = 0;

  /// Whether a coroutine must go through a queue to get from one affinity to the other. With one thread
  /// it never has to.
  [[nodiscard]] bool crosses(Affinity from, Affinity to) const noexcept { return from != to && !single_thread_; }

  /// Hands control to a suspended coroutine: directly where the affinity stays the same, else through the
  /// queue of its own affinity. The result is what the calling thread resumes. See `push` about the link, and
  /// what the caller may touch afterwards.
  std::coroutine_handle<> hand_over(Affinity running, Affinity target, std::coroutine_handle<> coroutine,
                                    ReadyLink &link) noexcept {
    if (!crosses(running, target)) return coroutine;
    push(target, coroutine, link);
    return next(running);
  }

  /// Tasks that run on their own.
  [[nodiscard]] Roots &roots() noexcept { return roots_; }

 protected:
  explicit Executor(bool single_thread) noexcept : single_thread_(single_thread) {}
  ~Executor() = default;

  [[nodiscard]] bool single_thread() const noexcept { return single_thread_; }

 private:
  const bool single_thread_;
  Roots roots_;
};

}  // namespace threadbare::runtime
