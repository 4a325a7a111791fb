// Task groups of oneTBB, on an arena of its own. Its scheduler is compiled with it, from its sources, so that every decision is
// under control: what Debian has is a library that was built already.
//
// Two things in it depend on the machine and would not replay: idle threads wait by the processor's clock, and random numbers
// begin with addresses. So it is compiled as for a processor that it does not know, and the seeds are numbers in order.
#if !__has_include("tbb/scheduler_common.h")
#error "threadbare: this adapter is compiled with the sources of oneTBB: name their include/ and src/ in CPLUS_INCLUDE_PATH"
#endif
#define __TBB_BUILD 1
#define __TBB_DYNAMIC_LOAD_ENABLED 0
#define __TBB_SOURCE_DIRECTLY_INCLUDED 1
#include <oneapi/tbb/detail/_config.h>
#undef __TBB_x86_64
#define __TBB_x86_64 0

#include <atomic>

namespace {
/// How many random numbers were begun in this execution.
std::atomic<unsigned> seeds{0};
}  // namespace

#include <oneapi/tbb/detail/_assert.h>
#include <oneapi/tbb/detail/_machine.h>
#include <oneapi/tbb/detail/_template_helpers.h>
#include <oneapi/tbb/detail/_utils.h>
#include <oneapi/tbb/info.h>
// As in `init(uintptr_t(unique_ptr))`.
#define uintptr_t(address) std::uintptr_t(seeds.fetch_add(1, std::memory_order_relaxed))
#include "tbb/misc.h"
#undef uintptr_t

#include "tbb/allocator.cpp"
#include "tbb/arena.cpp"
#include "tbb/arena_slot.cpp"
#include "tbb/address_waiter.cpp"
#include "tbb/dynamic_link.cpp"
#include "tbb/exception.cpp"
#include "tbb/global_control.cpp"
#include "tbb/governor.cpp"
#include "tbb/main.cpp"
#include "tbb/market.cpp"
#include "tbb/misc.cpp"
#include "tbb/misc_ex.cpp"
#include "tbb/observer_proxy.cpp"
#include "tbb/private_server.cpp"
#include "tbb/profiling.cpp"
#include "tbb/rml_tbb.cpp"
#include "tbb/semaphore.cpp"
#include "tbb/small_object_pool.cpp"
#include "tbb/task.cpp"
#include "tbb/task_dispatcher.cpp"
#include "tbb/task_group_context.cpp"
#include "tbb/version.cpp"

#include "harness/callbacks.hpp"
#include "harness/lazy_task.hpp"
#include "harness/runtime.hpp"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <coroutine>
#include <cstddef>
#include <latch>
#include <optional>
#include <utility>
#include <vector>

namespace {

using threadbare::LazyTask;

/// An arena of so many threads, the one that waits included, and one group for all that runs in it.
class Pool {
 public:
  explicit Pool(unsigned threads) {
    seeds.store(0, std::memory_order_relaxed);
    handle_ = tbb::task_scheduler_handle{tbb::attach{}};
    parallelism_.emplace(tbb::global_control::max_allowed_parallelism, threads);
    arena_.emplace(static_cast<int>(threads), 1U);
    group_.emplace();
  }
  ~Pool() noexcept {
    group_.reset();
    arena_.reset();
    parallelism_.reset();
    // Its workers end here.
    tbb::finalize(handle_);
  }

  void resume(std::coroutine_handle<> coroutine) {
    arena_->execute([&] { group_->run([coroutine] { coroutine.resume(); }); });
  }

  /// Tasks that have begun and not ended, but for the root.
  void begin() { tasks_.fetch_add(1); }
  void end() {
    if (tasks_.fetch_sub(1) == 1) tasks_.notify_all();
  }
  /// Works until there is nothing to run.
  void work() {
    arena_->execute([&] { group_->wait(); });
  }
  void wait() {
    work();
    // None is left then, unless tasks are stuck.
    while (const std::size_t left = tasks_.load()) tasks_.wait(left);
  }

 private:
  tbb::task_scheduler_handle handle_;
  std::optional<tbb::global_control> parallelism_;
  std::optional<tbb::task_arena> arena_;
  std::optional<tbb::task_group> group_;
  std::atomic<std::size_t> tasks_{0};
};

struct Adapter {
  template <class T>
  using Task = LazyTask<T>;
  using Scheduler = Pool;
  static constexpr threadbare::Semantics semantics{
      // A worker that is on its way to sleep cannot be woken, so another one is begun.
      .extra_threads = 255,
      .detach = threadbare::Detach::AnyTime,
      .losers = threadbare::Losers::Awaited,
      .any_failure = threadbare::AnyFailure::Wins,
  };

  template <class T>
  static T run(Pool &pool, Task<T> task) {
    std::latch ended(1);
    pool.resume(threadbare::run_for(task, [&] { ended.count_down(); }).frame);
    pool.work();
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
};

/// What it does once in a process is done before the first execution.
[[maybe_unused]] const bool begun = [] {
  tbb::info::default_concurrency();
  Pool pool(1);
  pool.work();
  return true;
}();

}  // namespace

THREADBARE_RUNTIME(Adapter)
