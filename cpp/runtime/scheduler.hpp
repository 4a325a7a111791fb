// The scheduler: a main thread, its workers, and a queue for each affinity.
#pragma once

#include "runtime/executor.hpp"
#include "runtime/start.hpp"
#include "runtime/task.hpp"
#include "runtime/timers.hpp"

#include <atomic>
#include <cassert>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace threadbare::runtime {

/// Runs tasks on `threads` threads: the one that makes the scheduler, which is the main thread, and
/// `threads - 1` workers. With one thread the main thread does everything, from one queue.
///
/// Destroying it is its shutdown: the workers finish the step they are in, then the frames of all tasks
/// that are still pending are destroyed, on the main thread, each once.
template <class Policy = Correct>
class BasicScheduler final : public Executor {
 public:
  /// Throws std::invalid_argument if `threads` is 0, std::system_error if a thread cannot be made, std::bad_alloc
  /// where memory runs out.
  explicit BasicScheduler(unsigned threads) : Executor(threads == 1), main_thread_(std::this_thread::get_id()) {
    if (threads == 0) throw std::invalid_argument("a scheduler needs at least 1 thread, not 0");
    workers_.reserve(threads - 1);
    try {
      while (workers_.size() + 1 < threads) workers_.emplace_back([this] { work(); });
    } catch (...) {
      stop_workers();
      throw;
    }
  }

  ~BasicScheduler() {
    stop_workers();
    roots().abandon_all();
  }

  /// Runs a task to its end on the calling thread, which must be the main thread, and gives its result or
  /// throws what it threw. Tasks that it started and left behind go on while the workers run, and on the
  /// main thread in the next `run`.
  template <class T>
  T run(Task<Affinity::Main, T, Policy> task) {
    assert(std::this_thread::get_id() == main_thread_ && "run belongs to the thread that made the scheduler");
    Ended ended;
    Outcome<T> outcome;
    Task<Affinity::Main, void, Policy> driver = drive(std::move(task), outcome);
    driver.promise()->executor = this;
    driver.promise()->completion = &ended;
    driver.handle().resume();
    loop(ended);
    if (outcome.error) std::rethrow_exception(std::move(outcome.error));
    if constexpr (!std::is_void_v<T>) return std::move(*outcome.value);
  }

  /// Queues a task to run on its own. Any thread may call it.
  template <Affinity A, class T>
  JoinHandle<T, Policy> start(Task<A, T, Policy> task) {
    return start_on(*this, std::move(task));
  }

  void push(Affinity affinity, std::coroutine_handle<> coroutine, ReadyLink &link) noexcept override {
    queue(affinity).push(coroutine, link);
    sleepers_.notify(single_thread() ? Affinity::Main : affinity);
  }

  std::coroutine_handle<> next(Affinity running) noexcept override {
    std::coroutine_handle<> coroutine;
    if (single_thread() || running == Affinity::Main || std::this_thread::get_id() == main_thread_) {
      // The loop looks after timers and lends the workers a hand, so go back to it whenever it has to.
      if (!timers_pending()) coroutine = main_queue_.pop();
    } else if (!sleepers_.stopping()) {
      coroutine = worker_queue_.pop();
    }
    return coroutine ? coroutine : std::noop_coroutine();
  }

  void add(Timer &timer) override {
    {
      const std::lock_guard lock(timers_mutex_);
      const bool first = timers_.empty() || timer.deadline < timers_.first_deadline();
      timers_.add(timer);
      if (!first) return;
      publish_first_deadline();
    }
    sleepers_.wake_main();
  }

  void remove(Timer &timer) noexcept override {
    const std::lock_guard lock(timers_mutex_);
    timers_.remove(timer);
    publish_first_deadline();
  }

 private:
  using Queue = typename Policy::template Queue<std::coroutine_handle<>>;
  using Ticks = Clock::duration::rep;
  static constexpr Ticks no_deadline = std::numeric_limits<Ticks>::max();

  template <class T>
  struct Outcome {
    // `int` stands in for void.
    std::optional<std::conditional_t<std::is_void_v<T>, int, T>> value;
    std::exception_ptr error;
  };

  /// The end of `run`'s driver. Only the main thread touches it, as the driver has main affinity.
  struct Ended final : Completion {
    bool yes = false;
    std::coroutine_handle<> complete(PromiseBase &) noexcept override {
      yes = true;
      return std::noop_coroutine();
    }
  };

  /// Brings the end of a task back to the main thread, wherever the task hopped to.
  template <class T>
  static Task<Affinity::Main, void, Policy> drive(Task<Affinity::Main, T, Policy> task, Outcome<T> &outcome) {
    try {
      if constexpr (std::is_void_v<T>) {
        co_await std::move(task);
      } else {
        outcome.value.emplace(co_await std::move(task));
      }
    } catch (...) {
      outcome.error = std::current_exception();
    }
  }

  Queue &queue(Affinity affinity) noexcept {
    return affinity == Affinity::Main || single_thread() ? main_queue_ : worker_queue_;
  }

  /// The main thread. Main tasks come first, worker tasks only while there are none.
  void loop(const Ended &ended) {
    while (!ended.yes) {
      // Ordering: see `timers_pending`.
      const Ticks first = first_deadline_.load(std::memory_order_relaxed);
      if (first != no_deadline) push_expired(first);
      std::coroutine_handle<> coroutine = main_queue_.pop();
      if (!coroutine && !single_thread()) coroutine = worker_queue_.pop();
      if (coroutine) {
        coroutine.resume();
      } else {
        const auto is_empty = [this] { return main_queue_.empty() && (single_thread() || worker_queue_.empty()); };
        sleepers_.await_main([&] { return Policy::may_sleep(is_empty); }, [this] { return next_deadline(); });
      }
    }
  }

  void work() {
    do {
      while (const std::coroutine_handle<> coroutine = worker_queue_.pop()) {
        coroutine.resume();
        if (sleepers_.stopping()) return;
      }
    } while (sleepers_.await_work([this] { return Policy::may_sleep([this] { return worker_queue_.empty(); }); }));
  }

  void push_expired(Ticks first) {
    const Clock::time_point now = Clock::now();
    if (now.time_since_epoch().count() < first) return;
    Timer *expired = nullptr;
    {
      const std::lock_guard lock(timers_mutex_);
      expired = timers_.expire(now);
      publish_first_deadline();
    }
    while (expired) {
      const Timer timer = *expired;
      // Lifetime: the timer is in the frame of the coroutine, which may be gone after the push.
      expired = timer.next;
      push(timer.affinity, timer.coroutine, *timer.link);
    }
  }

  // Ordering: relaxed. The main thread looks at the first deadline again before it sleeps; one that it does not see yet
  // only has to wait until then.
  [[nodiscard]] bool timers_pending() const noexcept {
    return first_deadline_.load(std::memory_order_relaxed) != no_deadline;
  }

  /// What the main thread sleeps until.
  [[nodiscard]] std::optional<Clock::time_point> next_deadline() const noexcept {
    // Ordering: seq_cst, after the main thread has announced itself; see `publish_first_deadline`.
    const Ticks first = first_deadline_.load(std::memory_order_seq_cst);
    if (first == no_deadline) return std::nullopt;
    return Clock::time_point(Clock::duration(first));
  }

  /// Under the lock of the timers.
  void publish_first_deadline() noexcept {
    const Ticks first = timers_.empty() ? no_deadline : timers_.first_deadline().time_since_epoch().count();
    first_deadline_.store(first, Policy::deadline);
  }

  void stop_workers() noexcept {
    if (workers_.empty()) return;
    sleepers_.stop(workers_.size());
    for (std::thread &worker : workers_) worker.join();
  }

  const std::thread::id main_thread_;
  Queue main_queue_;
  /// Unused with one thread.
  Queue worker_queue_;
  typename Policy::Sleepers sleepers_;
  std::mutex timers_mutex_;
  /// Under the lock.
  Timers timers_;
  /// Of `timers_`, in ticks of the clock.
  std::atomic<Ticks> first_deadline_{no_deadline};
  std::vector<std::thread> workers_;
};

using Scheduler = BasicScheduler<>;

}  // namespace threadbare::runtime
