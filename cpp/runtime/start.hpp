// Tasks that run on their own: starting, joining, detaching and stopping them.
#pragma once

#include "runtime/meeting.hpp"
#include "runtime/promise.hpp"
#include "runtime/task.hpp"

#include <cassert>
#include <memory>
#include <stop_token>
#include <utility>

namespace threadbare::runtime {

/// What a started task and its handle share. Deleted by whichever of the two is done with it last; it owns
/// the frame, which holds the result.
template <class T, class Policy>
class Started final : public Root, public Completion {
 public:
  explicit Started(OwnedFrame &&frame) : frame_(std::move(frame)) {}

  /// Queues the task. The reference that the caller has is from now on the handle's.
  void begin(Executor &executor) noexcept {
    PromiseBase &promise = *frame_.promise();
    promise.executor = &executor;
    promise.completion = this;
    promise.stop = &token_;
    executor.roots().link(*this);
    executor.push(promise.affinity, frame_.handle(), promise.link);
  }

  [[nodiscard]] bool ended() const noexcept { return meeting_.ended(); }

  /// Registers the one waiter; false if the task has ended already.
  bool wait(EndWaiter &waiter) noexcept { return meeting_.wait(waiter); }

  /// The handle's side is done, whatever the task's side is doing. May delete this object.
  void give_up() noexcept {
    if (meeting_.give_up()) delete this;
  }

  /// The result of the ended task.
  T result() { return static_cast<ResultPromise<T> *>(frame_.promise())->take(); }

  void request_stop() noexcept { source_.request_stop(); }

  std::coroutine_handle<> complete(PromiseBase &ended) noexcept override {
    Executor &executor = *ended.executor;
    const Affinity running_on = ended.affinity;
    // Before the end is published: afterwards this object belongs to the handle's side.
    executor.roots().unlink(*this);
    const Met met = meeting_.end(Policy::publish);
    if (met.gave_up) {
      // Lifetime: nobody wants the result. The frame is suspended for good, so it may go.
      delete this;
    } else if (met.waiter.coroutine) {
      // Lifetime: the frame of `ended` goes with this object, when the waiter has run.
      return executor.hand_over(running_on, met.waiter.affinity, met.waiter.coroutine, ended.link);
    }
    return executor.next(running_on);
  }

  void abandon() noexcept override {
    frame_.reset();
    // A waiter is not resumed: it is abandoned too, and gives up when its frame is destroyed.
    // Ordering: as at an end, since the handle may be on any thread.
    if (meeting_.end(std::memory_order_acq_rel).gave_up) delete this;
  }

 private:
  OwnedFrame frame_;
  typename Policy::Meeting meeting_;
  std::stop_source source_;
  std::stop_token token_ = source_.get_token();
};

/// The handle of a started task. Move-only. `co_await std::move(handle)` waits for the task and gives its
/// result, or throws what it threw. A handle that is destroyed lets the task go on by itself.
template <class T, class Policy = Correct>
class [[nodiscard]] JoinHandle {
  using Shared = Started<T, Policy>;

 public:
  JoinHandle() = default;
  explicit JoinHandle(Shared *shared) noexcept : shared_(shared) {}
  JoinHandle(JoinHandle &&other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}
  JoinHandle &operator=(JoinHandle &&other) noexcept {
    JoinHandle taken(std::move(other));
    std::swap(shared_, taken.shared_);
    return *this;
  }
  ~JoinHandle() { detach(); }

  /// Lets the task go on by itself; what it throws is dropped.
  void detach() noexcept {
    if (shared_) std::exchange(shared_, nullptr)->give_up();
  }

  /// Asks the task, and all that it awaits, to stop.
  void request_stop() noexcept {
    assert(shared_ && "an empty handle cannot stop a task");
    shared_->request_stop();
  }

  class Awaiter {
   public:
    explicit Awaiter(JoinHandle &&handle) noexcept : handle_(std::move(handle)) {}

    [[nodiscard]] bool await_ready() const noexcept { return handle_.shared_->ended(); }

    // Not inlined: see FinalSuspend.
    template <Promise P>
    [[gnu::noinline]] bool await_suspend(std::coroutine_handle<P> awaiting) noexcept {
      waiter_.coroutine = awaiting;
      waiter_.affinity = awaiting.promise().affinity;
      // Lifetime: once registered, this frame may be resumed elsewhere and freed.
      return handle_.shared_->wait(waiter_);
    }

    T await_resume() {
      // The task has ended, so what both shared is ours alone.
      const std::unique_ptr<Shared> shared(std::exchange(handle_.shared_, nullptr));
      return shared->result();
    }

   private:
    JoinHandle handle_;
    EndWaiter waiter_;
  };

  auto operator co_await() && noexcept {
    assert(shared_ && "an empty handle is joined");
    return Awaiter(std::move(*this));
  }

 private:
  Shared *shared_ = nullptr;
};

/// Starts a task on the executor from outside of its coroutines. Where memory runs out, this throws and the task has
/// been destroyed without having run.
template <Affinity A, class T, class Policy>
JoinHandle<T, Policy> start_on(Executor &executor, Task<A, T, Policy> task) {
  auto shared = std::make_unique<Started<T, Policy>>(std::move(task));
  shared->begin(executor);
  // Lifetime: the task is already running, but leaves `shared` alone until the handle gives it up.
  return JoinHandle<T, Policy>(shared.release());
}

/// See `start`.
template <Affinity A, class T, class Policy>
class Start {
 public:
  explicit Start(Task<A, T, Policy> &&task) noexcept : task_(std::move(task)) {}

  [[nodiscard]] static bool await_ready() noexcept { return false; }
  template <Promise P>
  bool await_suspend(std::coroutine_handle<P> starting) noexcept {
    executor_ = starting.promise().executor;
    return false;
  }
  JoinHandle<T, Policy> await_resume() { return start_on(*executor_, std::move(task_)); }

 private:
  Task<A, T, Policy> task_;
  Executor *executor_ = nullptr;
};

/// `co_await start(task)` queues a task to run on its own and gives its handle, without suspending. The
/// task has a stop source of its own.
template <Affinity A, class T, class Policy>
auto start(Task<A, T, Policy> task) {
  return Start<A, T, Policy>(std::move(task));
}

}  // namespace threadbare::runtime
