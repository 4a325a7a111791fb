// Seeded bug continuation-early-resume. A task queued its continuation when it returned, not when it had
// suspended for the last time. Another thread resumed the parent, which destroyed the frame of a task that
// was still running its last instructions.
#pragma once

#include "runtime/final_suspend.hpp"
#include "runtime/policy.hpp"

#include <coroutine>

namespace threadbare::bug {

class EarlyFinalSuspend : public runtime::FinalSuspend {
 public:
  /// Made before the task suspends.
  explicit EarlyFinalSuspend(runtime::PromiseBase &ending) noexcept : FinalSuspend(ending) {
    const bool crosses =
        ending.continuation && ending.executor->crosses(ending.affinity, ending.continuation_affinity);
    if (!crosses) return;
    queued_ = true;
    ending.executor->push(ending.continuation_affinity, ending.continuation, ending.link);
  }

  template <runtime::Promise P>
  [[gnu::noinline]] std::coroutine_handle<> await_suspend(std::coroutine_handle<P> ended) noexcept {
    if (queued_) return ended.promise().executor->next(ended.promise().affinity);
    return finish(ended.promise());
  }

 private:
  bool queued_ = false;
};

struct ContinuationEarlyResume : runtime::Correct {
  using FinalSuspend = EarlyFinalSuspend;
};

}  // namespace threadbare::bug
