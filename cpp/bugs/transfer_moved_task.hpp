// Seeded bug transfer-moved-task. The awaiter moved its task into the transfer when the task had to go through
// another affinity's queue, but went on to read the result from the task it had moved from. Nested
// `co_return co_await inner()` across affinities crashed on a null handle, once there was a second thread.
#pragma once

#include "runtime/policy.hpp"
#include "runtime/transfer.hpp"

#include <coroutine>
#include <utility>

namespace threadbare::bug {

template <class Task>
class MovedTaskTransfer : public runtime::Transfer<Task> {
 public:
  using runtime::Transfer<Task>::Transfer;

  template <runtime::Promise P>
  [[gnu::noinline]] std::coroutine_handle<> await_suspend(std::coroutine_handle<P> parent) noexcept {
    runtime::PromiseBase &promise = parent.promise();
    this->parent_ = &promise;
    if (!promise.executor->crosses(promise.affinity, Task::affinity)) return transfer(promise, parent, this->task_);
    // `await_resume` still asks `task_` for the result.
    moved_ = std::move(this->task_);
    return transfer(promise, parent, moved_);
  }

 private:
  Task moved_;
};

struct TransferMovedTask : runtime::Correct {
  template <class Task>
  using Transfer = MovedTaskTransfer<Task>;
};

}  // namespace threadbare::bug
