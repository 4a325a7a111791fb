// What a running task can do with itself: yield, hop, sleep, and ask whether it should stop.
#pragma once

#include "runtime/promise.hpp"
#include "runtime/timers.hpp"

#include <chrono>
#include <coroutine>
#include <exception>
#include <stop_token>

namespace threadbare::runtime {

/// Thrown by `throw_if_stopped`.
class Stopped : public std::exception {
 public:
  [[nodiscard]] const char *what() const noexcept override { return "the task was asked to stop"; }
};

/// See `yield`.
struct Yield {
  [[nodiscard]] static bool await_ready() noexcept { return false; }
  // Not inlined: see FinalSuspend.
  template <Promise P>
  [[gnu::noinline]] static void await_suspend(std::coroutine_handle<P> task) noexcept {
    task.promise().executor->push(task.promise().affinity, task, task.promise().link);
  }
  static void await_resume() noexcept {}
};

/// `co_await yield()` goes to the back of the task's own queue.
inline Yield yield() noexcept { return {}; }

/// See `hop`.
class Hop {
 public:
  explicit Hop(Affinity target) noexcept : target_(target) {}
  [[nodiscard]] static bool await_ready() noexcept { return false; }
  // Not inlined: see FinalSuspend.
  template <Promise P>
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<P> task) noexcept {
    PromiseBase &promise = task.promise();
    Executor &executor = *promise.executor;
    const Affinity target = target_;
    const bool crosses = executor.crosses(promise.affinity, target);
    promise.affinity = target;
    if (crosses) executor.push(target, task, promise.link);
    return crosses;
  }
  static void await_resume() noexcept {}

 private:
  Affinity target_;
};

/// `co_await hop(affinity)` moves the running task to an affinity, where it stays; its caller is still
/// resumed on its own.
inline Hop hop(Affinity target) noexcept { return Hop(target); }

/// See `sleep_for`.
class SleepFor {
 public:
  explicit SleepFor(Clock::duration duration) noexcept : duration_(duration) {}
  SleepFor(const SleepFor &) = delete;
  SleepFor &operator=(const SleepFor &) = delete;
  ~SleepFor() {
    // Only where the task is destroyed while it sleeps.
    if (timer_.place != Timer::nowhere) executor_->remove(timer_);
  }

  [[nodiscard]] static bool await_ready() noexcept { return false; }
  // Not inlined: see FinalSuspend.
  template <Promise P>
  [[gnu::noinline]] void await_suspend(std::coroutine_handle<P> task) {
    executor_ = task.promise().executor;
    timer_.coroutine = task;
    timer_.link = &task.promise().link;
    timer_.affinity = task.promise().affinity;
    const Clock::time_point now = Clock::now();
    const bool never = duration_ > Clock::time_point::max() - now;
    timer_.deadline = never ? Clock::time_point::max() : now + duration_;
    executor_->add(timer_);
  }
  static void await_resume() noexcept {}

 private:
  Clock::duration duration_;
  Timer timer_;
  Executor *executor_ = nullptr;
};

/// `co_await sleep_for(duration)` suspends the task for at least so long.
template <class Rep, class Period>
SleepFor sleep_for(std::chrono::duration<Rep, Period> duration) noexcept {
  return SleepFor(std::chrono::ceil<Clock::duration>(duration));
}

/// Gives the awaiting task something about itself, without suspending it.
template <class Answer>
class AskTask {
 public:
  explicit AskTask(Answer (*answer)(const std::stop_token *)) noexcept : answer_(answer) {}
  [[nodiscard]] static bool await_ready() noexcept { return false; }
  template <Promise P>
  bool await_suspend(std::coroutine_handle<P> task) noexcept {
    token_ = task.promise().stop;
    return false;
  }
  Answer await_resume() { return answer_(token_); }

 private:
  Answer (*answer_)(const std::stop_token *);
  const std::stop_token *token_ = nullptr;
};

/// `co_await stop_token()` gives the token that tells this task to stop.
inline AskTask<std::stop_token> stop_token() noexcept {
  return AskTask<std::stop_token>([](const std::stop_token *token) { return token ? *token : std::stop_token(); });
}

/// `co_await stop_requested()` says whether this task was asked to stop.
inline AskTask<bool> stop_requested() noexcept {
  return AskTask<bool>([](const std::stop_token *token) { return token && token->stop_requested(); });
}

/// `co_await throw_if_stopped()` throws `Stopped` if this task was asked to stop.
inline AskTask<void> throw_if_stopped() noexcept {
  return AskTask<void>([](const std::stop_token *token) {
    if (token && token->stop_requested()) throw Stopped();
  });
}

}  // namespace threadbare::runtime
