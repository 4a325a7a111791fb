// Seeded bug final-suspend-destroy. A task's final suspend handed its continuation to another thread and then
// went back to its own promise for the scheduler, to ask what to run next. By then the parent that it woke
// may have run on and destroyed the frame.
#pragma once

#include "runtime/final_suspend.hpp"
#include "runtime/policy.hpp"

#include <coroutine>

namespace threadbare::bug {

class UseAfterHandOver : public runtime::FinalSuspend {
 public:
  using runtime::FinalSuspend::FinalSuspend;

  template <runtime::Promise P>
  [[gnu::noinline]] static std::coroutine_handle<> await_suspend(std::coroutine_handle<P> ended) noexcept {
    runtime::PromiseBase &promise = ended.promise();
    const bool crosses =
        promise.continuation && promise.executor->crosses(promise.affinity, promise.continuation_affinity);
    if (!crosses) return finish(promise);
    promise.executor->push(promise.continuation_affinity, promise.continuation, promise.link);
    return promise.executor->next(promise.affinity);
  }
};

struct FinalSuspendDestroy : runtime::Correct {
  using FinalSuspend = UseAfterHandOver;
};

}  // namespace threadbare::bug
