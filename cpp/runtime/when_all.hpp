// Waiting for all of several tasks.
#pragma once

#include "runtime/gather.hpp"

#include <array>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace threadbare::runtime {

/// See `when_all_ready`.
template <class Item>
class WhenAllReady final : Gather<typename PolicyOf<Item>::Type> {
 public:
  explicit WhenAllReady(std::span<Item> tasks) noexcept : tasks_(tasks) {}

  [[nodiscard]] bool await_ready() const noexcept { return tasks_.empty(); }

  // Not inlined: see FinalSuspend.
  template <Promise P>
  [[gnu::noinline]] std::coroutine_handle<> await_suspend(std::coroutine_handle<P> awaiting) noexcept {
    PromiseBase &parent = awaiting.promise();
    return this->begin(parent, awaiting, parent.stop, tasks_.size(),
                       [tasks = tasks_](std::size_t i) -> OwnedFrame & { return frame_of(tasks[i]); });
  }

  static void await_resume() noexcept {}

 private:
  std::span<Item> tasks_;
};

/// `co_await when_all_ready(tasks)` runs tasks at once and waits until all have ended; each one's `result()`
/// then gives its value or throws. The items are tasks or variants of tasks, and stay where they are.
template <class Item>
auto when_all_ready(std::vector<Item> &tasks) noexcept {
  return WhenAllReady<Item>(tasks);
}

/// See `when_all` of a vector.
template <class T>
class WhenAllOfVector final : Gather<typename PolicyOf<T>::Type> {
 public:
  explicit WhenAllOfVector(std::vector<T> &&tasks) noexcept : tasks_(std::move(tasks)) {}

  [[nodiscard]] bool await_ready() const noexcept { return tasks_.empty(); }

  template <Promise P>
  [[gnu::noinline]] std::coroutine_handle<> await_suspend(std::coroutine_handle<P> awaiting) noexcept {
    PromiseBase &parent = awaiting.promise();
    return this->begin(parent, awaiting, parent.stop, tasks_.size(),
                       [tasks = tasks_.data()](std::size_t i) -> OwnedFrame & { return tasks[i]; });
  }

  auto await_resume() {
    if constexpr (std::is_void_v<typename T::Result>) {
      for (T &task : tasks_) task.result();
    } else {
      std::vector<typename T::Result> results;
      results.reserve(tasks_.size());
      for (T &task : tasks_) results.push_back(task.result());
      return results;
    }
  }

 private:
  std::vector<T> tasks_;
};

/// `co_await when_all(std::move(tasks))` runs tasks at once, waits until all have ended and gives their
/// results in order, or throws what the first in order that failed threw.
template <Affinity A, class T, class Policy>
auto when_all(std::vector<Task<A, T, Policy>> tasks) {
  return WhenAllOfVector<Task<A, T, Policy>>(std::move(tasks));
}

/// See `when_all` of several tasks.
template <class Policy, class... Tasks>
class WhenAllOf final : Gather<Policy> {
 public:
  explicit WhenAllOf(Tasks &&...tasks) noexcept : tasks_(std::move(tasks)...) {}

  [[nodiscard]] static bool await_ready() noexcept { return false; }

  template <Promise P>
  [[gnu::noinline]] std::coroutine_handle<> await_suspend(std::coroutine_handle<P> awaiting) noexcept {
    PromiseBase &parent = awaiting.promise();
    const auto frames = std::apply(
        [](auto &...task) { return std::array<OwnedFrame *, sizeof...(Tasks)>{&task...}; }, tasks_);
    return this->begin(parent, awaiting, parent.stop, frames.size(),
                       [&frames](std::size_t i) -> OwnedFrame & { return *frames[i]; });
  }

  auto await_resume() {
    // Braces: the results are taken from left to right.
    return std::apply([](auto &...task) { return std::tuple{value_of(task)...}; }, tasks_);
  }

 private:
  template <class T>
  static auto value_of(T &task) {
    if constexpr (std::is_void_v<typename T::Result>) {
      task.result();
      return std::monostate{};
    } else {
      return task.result();
    }
  }

  std::tuple<Tasks...> tasks_;
};

/// The same for tasks of different kinds; gives a tuple, with `std::monostate` for void.
template <Affinity A, class T, class Policy, class... Rest>
auto when_all(Task<A, T, Policy> first, Rest... rest) {
  return WhenAllOf<Policy, Task<A, T, Policy>, Rest...>(std::move(first), std::move(rest)...);
}

}  // namespace threadbare::runtime
