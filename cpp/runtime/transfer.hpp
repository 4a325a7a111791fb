// Awaiting a task: the transfer of control to it and back.
#pragma once

#include "runtime/promise.hpp"

#include <coroutine>
#include <utility>

namespace threadbare::runtime {

/// Begins `child` on behalf of the suspended `parent`, which is resumed at its end. The result is what the
/// thread resumes: the child itself if it may run here, else the next ready coroutine.
inline std::coroutine_handle<> transfer(PromiseBase &parent, std::coroutine_handle<> parent_handle,
                                        OwnedFrame &child) noexcept {
  PromiseBase &promise = *child.promise();
  promise.executor = parent.executor;
  promise.stop = parent.stop;
  promise.continuation = parent_handle;
  promise.continuation_affinity = parent.affinity;
  parent.awaiting = &child;
  // Lifetime: the child may end, and the parent with it, as soon as it is handed over.
  return parent.executor->hand_over(parent.affinity, promise.affinity, child.handle(), promise.link);
}

/// The awaiter of `co_await std::move(task)`. Owns the task until the awaiting expression ends, so the
/// frame outlives the result's way out and is destroyed exactly once.
template <class Task>
class Transfer {
 public:
  explicit Transfer(Task &&task) noexcept : task_(std::move(task)) {}

  [[nodiscard]] static bool await_ready() noexcept { return false; }

  // Not inlined: see FinalSuspend.
  template <Promise P>
  [[gnu::noinline]] std::coroutine_handle<> await_suspend(std::coroutine_handle<P> parent) noexcept {
    parent_ = &parent.promise();
    return transfer(*parent_, parent, task_);
  }

  decltype(auto) await_resume() {
    parent_->awaiting = nullptr;
    return task_.result();
  }

 protected:
  Task task_;
  PromiseBase *parent_ = nullptr;
};

}  // namespace threadbare::runtime
