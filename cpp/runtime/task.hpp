// The lazy coroutine type of the runtime.
#pragma once

#include "runtime/policy.hpp"
#include "runtime/promise.hpp"

#include <cassert>
#include <coroutine>
#include <exception>
#include <utility>
#include <variant>

namespace threadbare::runtime {

/// The part of a promise that holds the result, whatever the affinity and policy of its task.
template <class T>
class ResultPromise : public PromiseBase {
 public:
  using PromiseBase::PromiseBase;

  template <class U = T>
  void return_value(U &&value) {
    result_.template emplace<1>(std::forward<U>(value));
  }

  void unhandled_exception() noexcept { result_.template emplace<2>(std::current_exception()); }

  /// Moves the result out, or throws what the task threw. Once, after its end.
  T take() {
    if (auto *error = std::get_if<2>(&result_)) std::rethrow_exception(std::move(*error));
    assert(result_.index() == 1 && "the task has not ended");
    return std::move(*std::get_if<1>(&result_));
  }

 private:
  std::variant<std::monostate, T, std::exception_ptr> result_;
};

template <>
class ResultPromise<void> : public PromiseBase {
 public:
  using PromiseBase::PromiseBase;

  void return_void() noexcept {}
  void unhandled_exception() noexcept { error_ = std::current_exception(); }

  void take() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  std::exception_ptr error_;
};

/// A coroutine that begins when it is awaited, and ends in a `T` or an exception. Move-only; destroying it
/// destroys the frame.
///
/// `co_await std::move(task)` runs it to its end and gives its result. If both sides have the same affinity
/// (where the awaiting side is now, see `hop`), control goes straight over and back, without growing the
/// stack; else both ways go through the queue of the affinity that is to run. The awaited task inherits
/// the stop token.
template <Affinity A, class T = void, class Policy = Correct>
class [[nodiscard]] Task : public OwnedFrame {
 public:
  class promise_type : public ResultPromise<T> {
   public:
    promise_type() noexcept : ResultPromise<T>(A) {}

    Task get_return_object() noexcept {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this), *this);
    }
    static std::suspend_always initial_suspend() noexcept { return {}; }
    typename Policy::FinalSuspend final_suspend() noexcept { return typename Policy::FinalSuspend(*this); }
  };

  using Result = T;
  /// An empty task, to be assigned to.
  Task() = default;
  static constexpr Affinity affinity = A;

  auto operator co_await() && noexcept {
    assert(*this && "an empty task is awaited");
    return typename Policy::template Transfer<Task>(std::move(*this));
  }

  /// The result of a task that has ended, as after `when_all_ready`; throws what the task threw. Once.
  T result() { return static_cast<ResultPromise<T> *>(promise())->take(); }

 private:
  Task(std::coroutine_handle<promise_type> handle, PromiseBase &promise) noexcept : OwnedFrame(handle, promise) {}
};

}  // namespace threadbare::runtime
