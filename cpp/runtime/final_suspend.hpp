// The end of every task: hands control to whoever waits for it.
#pragma once

#include "runtime/promise.hpp"

#include <coroutine>

namespace threadbare::runtime {

/// The awaiter of a task's final suspend point.
class FinalSuspend {
 public:
  explicit FinalSuspend(PromiseBase &) noexcept {}

  [[nodiscard]] static bool await_ready() noexcept { return false; }

  // Not inlined: compilers may keep the locals of an inlined await_suspend in the frame, which is gone
  // once the continuation runs (llvm-project issue 56301).
  template <Promise P>
  [[gnu::noinline]] static std::coroutine_handle<> await_suspend(std::coroutine_handle<P> ended) noexcept {
    return finish(ended.promise());
  }

  static void await_resume() noexcept {}

  /// Tells whoever waits that `ended` has ended and is suspended for good. The frame belongs to them from
  /// then on, and may be gone before this returns.
  static std::coroutine_handle<> finish(PromiseBase &ended) noexcept {
    if (!ended.continuation) return ended.completion->complete(ended);
    return ended.executor->hand_over(ended.affinity, ended.continuation_affinity, ended.continuation, ended.link);
  }
};

}  // namespace threadbare::runtime
