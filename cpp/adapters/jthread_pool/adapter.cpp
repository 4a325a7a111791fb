// A pool of std::jthread that runs callbacks and knows no coroutines: tasks are threadbare's, and all that waits is made of
// what the standard library has, std::latch, std::stop_token, std::condition_variable_any and std::atomic::wait.
#include "harness/callbacks.hpp"
#include "harness/lazy_task.hpp"
#include "harness/runtime.hpp"

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <latch>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace {

using threadbare::LazyTask;

class Pool {
 public:
  explicit Pool(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this](const std::stop_token &stop) { work(stop); });
  }

  void post(std::function<void()> callback) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(callback));
    }
    ready_.notify_one();
  }
  void resume(std::coroutine_handle<> coroutine) { post([coroutine] { coroutine.resume(); }); }

  /// Tasks that have begun and not ended, but for the root.
  void begin() { tasks_.fetch_add(1); }
  void end() {
    if (tasks_.fetch_sub(1) == 1) tasks_.notify_all();
  }
  void wait() {
    while (const std::size_t left = tasks_.load()) tasks_.wait(left);
  }

 private:
  void work(const std::stop_token &stop) {
    std::unique_lock lock(mutex_);
    while (ready_.wait(lock, stop, [this] { return !queue_.empty(); })) {
      const std::function<void()> next = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      next();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any ready_;
  std::deque<std::function<void()>> queue_;
  std::atomic<std::size_t> tasks_{0};
  // Lifetime: first to be destroyed, which stops and joins them.
  std::vector<std::jthread> threads_;
};

struct Adapter {
  template <class T>
  using Task = LazyTask<T>;
  using Scheduler = Pool;
  static constexpr threadbare::Semantics semantics{
      .extra_threads = 1,
      .detach = threadbare::Detach::AnyTime,
      .losers = threadbare::Losers::Awaited,
      .any_failure = threadbare::AnyFailure::Wins,
  };

  template <class T>
  static T run(Pool &pool, Task<T> task) {
    std::latch ended(1);
    pool.resume(threadbare::run_for(task, [&] { ended.count_down(); }).frame);
    ended.wait();
    return task.take();
  }
  template <class T>
  static void spawn(Pool &pool, Task<T> task) {
    pool.begin();
    pool.resume(threadbare::run_alone(std::move(task), [&pool] { pool.end(); }).frame);
  }
  template <class T>
  static Task<T> result(Task<T> &&task) { return std::move(task); }
  static void drain(Pool &pool) { pool.wait(); }

  template <class T>
  using JoinHandle = threadbare::CallbackHandle<Pool, T>;
  template <class T>
  static JoinHandle<T> start(Pool &pool, Task<T> task) { return threadbare::start_by_callback(pool, std::move(task)); }
  template <class T>
  static JoinHandle<T> result(JoinHandle<T> &&handle) { return std::move(handle); }

  template <class T>
  static T ended(Task<T> &task) { return task.take(); }
  template <class AnyTask>
  static auto when_all(Pool &pool, std::vector<AnyTask> &tasks) {
    return threadbare::CallbackGroup<Pool, AnyTask>(pool, tasks);
  }
  template <class AnyTask>
  static auto when_any(Pool &pool, std::vector<AnyTask> &tasks) {
    return threadbare::CallbackGroup<Pool, AnyTask>(pool, tasks);
  }

  static threadbare::CallbackYield<Pool> yield(Pool &pool) { return {pool}; }

  /// A latch whose waiters are callbacks: std::latch would block the threads that are to arrive.
  class Latch {
   public:
    Latch(Pool &pool, std::uint32_t count) : pool_(pool), left_(count) {}

    void arrive() {
      std::vector<std::coroutine_handle<>> waiting;
      {
        const std::lock_guard lock(mutex_);
        if (--left_ == 0) waiting.swap(waiting_);
      }
      for (const std::coroutine_handle<> each : waiting) pool_.resume(each);
    }
    auto wait() {
      struct Awaiter {
        Latch &latch;
        static bool await_ready() noexcept { return false; }
        bool await_suspend(std::coroutine_handle<> waiting) { return latch.add(waiting); }
        static void await_resume() noexcept {}
      };
      return Awaiter{*this};
    }

   private:
    bool add(std::coroutine_handle<> waiting) {
      const std::lock_guard lock(mutex_);
      if (left_ > 0) waiting_.push_back(waiting);
      return left_ > 0;
    }

    Pool &pool_;
    std::mutex mutex_;
    std::uint32_t left_;
    std::vector<std::coroutine_handle<>> waiting_;
  };
};

}  // namespace

THREADBARE_RUNTIME(Adapter)
