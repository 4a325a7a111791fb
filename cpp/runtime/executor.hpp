// What coroutines need of the scheduler that runs them.
#pragma once

#include "runtime/affinity.hpp"
#include "runtime/roots.hpp"

#include <coroutine>

namespace threadbare::runtime {

struct Timer;

/// The side of a scheduler that coroutines see; the same for every policy.
class Executor {
 public:
  Executor(const Executor &) = delete;
  Executor &operator=(const Executor &) = delete;

  /// Queues a suspended coroutine. Any thread may call it. Running out of memory here ends the program.
  ///
  /// Lifetime: when this returns, the coroutine may have run, ended and been freed, and with it whatever
  /// object the caller is a member of. Callers touch nothing but their own locals afterwards.
  virtual void push(Affinity affinity, std::coroutine_handle<> coroutine) noexcept = 0;

  /// What the calling thread goes on with after code of affinity `running` has suspended on it: the next
  /// ready coroutine that the thread may run, or a no-op coroutine. Never null.
  virtual std::coroutine_handle<> next(Affinity running) noexcept = 0;

  /// Arms a timer; the main thread pushes its coroutine once the deadline has passed. See `push` about
  /// what the caller may touch afterwards.
  virtual void add(Timer &timer) = 0;

  /// Disarms a timer that has not expired.
  virtual void remove(Timer &timer) noexcept = 0;

  /// Whether a coroutine must go through a queue to get from one affinity to the other. With one thread
  /// it never has to.
  [[nodiscard]] bool crosses(Affinity from, Affinity to) const noexcept { return from != to && !single_thread_; }

  /// Hands control to a suspended coroutine: directly where the affinity stays the same, else through the
  /// queue of its own affinity. The result is what the calling thread resumes. See `push` about what the
  /// caller may touch afterwards.
  std::coroutine_handle<> hand_over(Affinity running, Affinity target, std::coroutine_handle<> coroutine) noexcept {
    if (!crosses(running, target)) return coroutine;
    push(target, coroutine);
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
