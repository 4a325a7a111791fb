// Handles and groups of lazy tasks, for runtimes that run callbacks and know no coroutines. Their pool has
// `resume(std::coroutine_handle<>)`, which has a thread of its own resume it, and `begin()` and `end()` around each task.
#pragma once

#include "harness/lazy_task.hpp"

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

namespace threadbare {

/// What a task that was started and its handle share.
template <class Pool, class T>
class Started {
 public:
  Started(Pool &pool, LazyTask<T> task) : pool_(pool), task_(std::move(task)) {}

  LazyTask<T> &task() { return task_; }

  /// Whether the task has ended; if not, who waits is resumed when it has.
  bool wait(std::coroutine_handle<> waiting) {
    const std::lock_guard lock(mutex_);
    if (!ended_) waiter_ = waiting;
    return ended_;
  }
  void end() {
    std::coroutine_handle<> waiting;
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      waiting = waiter_;
    }
    if (waiting) pool_.resume(waiting);
  }

 private:
  Pool &pool_;
  LazyTask<T> task_;
  std::mutex mutex_;
  std::coroutine_handle<> waiter_;
  bool ended_ = false;
};

/// Awaitable: the value of a task that was started, once it has ended.
template <class Pool, class T>
class CallbackHandle {
 public:
  explicit CallbackHandle(std::shared_ptr<Started<Pool, T>> started) : started_(std::move(started)) {}
  void detach() { started_.reset(); }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiting) { return !started_->wait(waiting); }
  T await_resume() { return started_->task().take(); }

 private:
  std::shared_ptr<Started<Pool, T>> started_;
};

template <class Pool, class T>
CallbackHandle<Pool, T> start_by_callback(Pool &pool, LazyTask<T> task) {
  auto started = std::make_shared<Started<Pool, T>>(pool, std::move(task));
  pool.begin();
  // Lifetime: the last of the two to let go destroys the task, and the pool knows of its end after that.
  auto told = [&pool, started]() mutable {
    started->end();
    started.reset();
    pool.end();
  };
  pool.resume(run_for(started->task(), std::move(told)).frame);
  return CallbackHandle<Pool, T>(std::move(started));
}

/// Awaitable: runs all of the tasks; who waits goes on after the last, and is told the position of the first.
template <class Pool, class AnyTask>
class CallbackGroup {
 public:
  CallbackGroup(Pool &pool, std::vector<AnyTask> &tasks) : pool_(pool), tasks_(tasks), left_(tasks.size()) {}

  static bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    // This may be gone once the last of them was posted.
    std::vector<AnyTask> &tasks = tasks_;
    Pool &pool = pool_;
    const std::size_t count = tasks.size();
    for (std::size_t i = 0; i < count; ++i) {
      auto ended = [this, waiting, i] {
        std::size_t none = nobody;
        first_.compare_exchange_strong(none, i);
        if (left_.fetch_sub(1) == 1) pool_.resume(waiting);
      };
      std::visit([&](auto &task) { pool.resume(run_for(task, ended).frame); }, tasks[i]);
    }
  }
  std::size_t await_resume() const noexcept { return first_.load(); }

 private:
  static constexpr std::size_t nobody = SIZE_MAX;
  Pool &pool_;
  std::vector<AnyTask> &tasks_;
  std::atomic<std::size_t> left_;
  std::atomic<std::size_t> first_{nobody};
};

/// Awaitable: whoever awaits it goes on behind what the pool has to do.
template <class Pool>
struct CallbackYield {
  Pool &pool;
  static bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) { pool.resume(waiting); }
  static void await_resume() noexcept {}
};

}  // namespace threadbare
