// A lazy coroutine type, for runtimes that run callbacks and have none of their own.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace threadbare {

namespace lazy {

/// The part of a promise that knows who goes on after the task.
class Promise {
 public:
  static std::suspend_always initial_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { error_ = std::current_exception(); }
  void resume_after(std::coroutine_handle<> continuation) noexcept { continuation_ = continuation; }

  /// Who waits is resumed on the stack of who ended, which does not grow by it.
  struct Final {
    static bool await_ready() noexcept { return false; }
    template <class P>
    static std::coroutine_handle<> await_suspend(std::coroutine_handle<P> ended) noexcept {
      return static_cast<Promise &>(ended.promise()).continuation_;
    }
    static void await_resume() noexcept {}
  };
  static Final final_suspend() noexcept { return {}; }

 protected:
  std::exception_ptr error_;

 private:
  std::coroutine_handle<> continuation_ = std::noop_coroutine();
};

template <class T>
class ResultPromise : public Promise {
 public:
  template <class U>
  void return_value(U &&value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class ResultPromise<void> : public Promise {
 public:
  static void return_void() noexcept {}
  void take() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }
};

}  // namespace lazy

/// Begins when it is awaited: `co_await std::move(task)` runs it to its end, on the thread that awaits, and gives its value
/// or throws what it threw. It is in no hurry to leave a thread: only what it awaits takes it to another one.
template <class T>
class [[nodiscard]] LazyTask {
 public:
  struct promise_type : lazy::ResultPromise<T> {
    LazyTask get_return_object() noexcept {
      return LazyTask(std::coroutine_handle<promise_type>::from_promise(*this));
    }
  };

  LazyTask(LazyTask &&other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  LazyTask &operator=(LazyTask &&other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~LazyTask() {
    if (frame_) frame_.destroy();
  }

  /// The value of a task that has ended, or what it threw. Once.
  T take() { return frame_.promise().take(); }

  /// Awaitable: runs the task, which stays where it is, to its end.
  auto ended() noexcept {
    struct Awaiter {
      std::coroutine_handle<promise_type> frame;
      static bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) noexcept {
        frame.promise().resume_after(waiting);
        return frame;
      }
      static void await_resume() noexcept {}
    };
    return Awaiter{frame_};
  }

  auto operator co_await() && noexcept {
    struct Awaiter {
      LazyTask task;
      static bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) noexcept {
        return task.ended().await_suspend(waiting);
      }
      T await_resume() { return task.take(); }
    };
    return Awaiter{std::move(*this)};
  }

 private:
  explicit LazyTask(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}

  std::coroutine_handle<promise_type> frame_;
};

/// A coroutine that nobody waits for, and that destroys itself at its end. Somebody must resume it once.
struct Detached {
  struct promise_type {
    Detached get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    static std::suspend_always initial_suspend() noexcept { return {}; }
    static std::suspend_never final_suspend() noexcept { return {}; }
    static void return_void() noexcept {}
    static void unhandled_exception() noexcept { std::terminate(); }
  };
  std::coroutine_handle<> frame;
};

/// Runs a task to its end, destroys it, and calls `then`.
template <class T, class Then>
Detached run_alone(LazyTask<T> task, Then then) {
  {
    LazyTask<T> own = std::move(task);
    co_await own.ended();
  }
  then();
}

/// Runs a task of somebody else's to its end, and calls `then`.
template <class T, class Then>
Detached run_for(LazyTask<T> &task, Then then) {
  co_await task.ended();
  then();
}

}  // namespace threadbare
