// What every coroutine of the runtime carries, and the owner of its frame.
#pragma once

#include "runtime/affinity.hpp"
#include "runtime/executor.hpp"

#include <concepts>
#include <coroutine>
#include <stop_token>
#include <utility>

namespace threadbare::runtime {

class OwnedFrame;
struct PromiseBase;

/// Is told that a coroutine has ended, where more than one continuation depends on it.
class Completion {
 public:
  /// Called once, from the final suspend point; the result is what the thread resumes. The frame of
  /// `ended` may be destroyed by whoever this call tells of its end.
  virtual std::coroutine_handle<> complete(PromiseBase &ended) noexcept = 0;

 protected:
  ~Completion() = default;
};

/// The part of a promise that does not depend on affinity, result or policy. Everything but `affinity` is
/// set by whoever begins the task, before it is resumed for the first time.
struct PromiseBase {
  explicit PromiseBase(Affinity where) noexcept : affinity(where) {}

  /// Who runs it; null until it is begun.
  Executor *executor = nullptr;
  /// Its one awaiting coroutine, or null if `completion` is told instead.
  std::coroutine_handle<> continuation;
  Completion *completion = nullptr;
  /// Stops this task; null if nobody can. Points into an ancestor that outlives the task's run.
  const std::stop_token *stop = nullptr;
  /// Queues this task; once it has ended, whoever it lets go on.
  ReadyLink link;
  /// The frame of the task that it awaits now, if it awaits one.
  OwnedFrame *awaiting = nullptr;
  /// Where its code runs now; `hop` changes it.
  Affinity affinity;
  /// Where the continuation runs.
  Affinity continuation_affinity = Affinity::Main;
};

template <class T>
concept Promise = std::derived_from<T, PromiseBase>;

/// Owns a coroutine frame of any kind. Move-only.
class OwnedFrame {
 public:
  OwnedFrame() = default;
  OwnedFrame(std::coroutine_handle<> handle, PromiseBase &promise) noexcept : handle_(handle), promise_(&promise) {}

  OwnedFrame(OwnedFrame &&other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), promise_(std::exchange(other.promise_, nullptr)) {}

  OwnedFrame &operator=(OwnedFrame &&other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, nullptr);
      promise_ = std::exchange(other.promise_, nullptr);
    }
    return *this;
  }

  ~OwnedFrame() { reset(); }

  explicit operator bool() const noexcept { return handle_ != nullptr; }
  [[nodiscard]] std::coroutine_handle<> handle() const noexcept { return handle_; }
  [[nodiscard]] PromiseBase *promise() const noexcept { return promise_; }

  /// Gives the frame up without destroying it.
  std::coroutine_handle<> release() noexcept {
    promise_ = nullptr;
    return std::exchange(handle_, nullptr);
  }

  /// Destroys the frame, suspended wherever it is, and the frames of what it awaits.
  ///
  /// A frame destroys the frame it awaits in turn, so a pending chain of a million awaits would overflow
  /// the stack. The chain is therefore walked down first, with its links reversed on the way, and destroyed
  /// from its innermost frame upwards, which is also the order of unwinding.
  void reset() noexcept {
    if (!handle_) return;
    OwnedFrame *above = nullptr;
    OwnedFrame *frame = this;
    while (OwnedFrame *below = std::exchange(frame->promise_->awaiting, above)) {
      above = frame;
      frame = below;
    }
    while (frame) {
      OwnedFrame *up = frame->promise_->awaiting;
      frame->promise_ = nullptr;
      std::exchange(frame->handle_, nullptr).destroy();
      frame = up;
    }
  }

 private:
  std::coroutine_handle<> handle_;
  PromiseBase *promise_ = nullptr;
};

}  // namespace threadbare::runtime
