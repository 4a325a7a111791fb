// A pool of std::jthread that runs callbacks and knows no coroutines: tasks are threadbare's, and all that waits is made of
// what the standard library has, std::latch, std::stop_token, std::condition_variable_any and std::atomic::wait.
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
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <variant>
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

/// What a task that was started and its handle share.
template <class T>
struct Shared {
  Shared(Pool &its_pool, LazyTask<T> its_task) : pool(its_pool), task(std::move(its_task)) {}

  /// Whether the task has ended; if not, who waits is resumed when it has.
  bool wait(std::coroutine_handle<> waiting) {
    const std::lock_guard lock(mutex);
    if (!ended) waiter = waiting;
    return ended;
  }
  void end() {
    std::coroutine_handle<> waiting;
    {
      const std::lock_guard lock(mutex);
      ended = true;
      waiting = waiter;
    }
    if (waiting) pool.resume(waiting);
  }

  Pool &pool;
  LazyTask<T> task;
  std::mutex mutex;
  std::coroutine_handle<> waiter;
  bool ended = false;
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
  class JoinHandle {
   public:
    explicit JoinHandle(std::shared_ptr<Shared<T>> shared) : shared_(std::move(shared)) {}
    void detach() { shared_.reset(); }

    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> waiting) { return !shared_->wait(waiting); }
    T await_resume() { return shared_->task.take(); }

   private:
    std::shared_ptr<Shared<T>> shared_;
  };
  template <class T>
  static JoinHandle<T> start(Pool &pool, Task<T> task) {
    auto shared = std::make_shared<Shared<T>>(pool, std::move(task));
    pool.begin();
    // Lifetime: the last of the two to let go destroys the task, and the pool knows of its end after that.
    auto told = [&pool, shared]() mutable {
      shared->end();
      shared.reset();
      pool.end();
    };
    pool.resume(threadbare::run_for(shared->task, std::move(told)).frame);
    return JoinHandle<T>(std::move(shared));
  }
  template <class T>
  static JoinHandle<T> result(JoinHandle<T> &&handle) { return std::move(handle); }

  template <class T>
  static T ended(Task<T> &task) { return task.take(); }
  template <class AnyTask>
  static auto when_all(Pool &pool, std::vector<AnyTask> &tasks) {
    return Group<AnyTask>(pool, tasks);
  }
  template <class AnyTask>
  static auto when_any(Pool &pool, std::vector<AnyTask> &tasks) {
    return Group<AnyTask>(pool, tasks);
  }

  static auto yield(Pool &pool) {
    struct Awaiter {
      Pool &pool;
      static bool await_ready() noexcept { return false; }
      void await_suspend(std::coroutine_handle<> waiting) { pool.resume(waiting); }
      static void await_resume() noexcept {}
    };
    return Awaiter{pool};
  }

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

 private:
  /// Runs all of them; who waits goes on after the last, and is told the position of the first.
  template <class AnyTask>
  class Group {
   public:
    Group(Pool &pool, std::vector<AnyTask> &tasks) : pool_(pool), tasks_(tasks), left_(tasks.size()) {}

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
        std::visit([&](auto &task) { pool.resume(threadbare::run_for(task, ended).frame); }, tasks[i]);
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
};

}  // namespace

THREADBARE_RUNTIME(Adapter)
