// An adapter to begin with. `threadbare runtime check` passes with it as it is, with the thread pool of pool.hpp in place of
// your runtime. What an adapter lacks, task graphs do without; the end of the struct lists what it can have.
#include "harness/lazy_task.hpp"
#include "harness/runtime.hpp"
#include "pool.hpp"

#include <utility>

namespace {

struct Adapter {
  // The core. `Task` is the runtime's lazy coroutine type; a runtime without one takes threadbare's.
  template <class T>
  using Task = threadbare::LazyTask<T>;
  using Scheduler = Pool;

  // Runs a task to its end and gives or throws what it came to. The calling thread only waits here.
  template <class T>
  static T run(Scheduler &scheduler, Task<T> task) {
    scheduler.begin();
    scheduler.post(threadbare::run_for(task, [&] { scheduler.end(); }).frame);
    scheduler.wait();
    return task.take();
  }
  // Begins a task that nobody waits for. It is destroyed before its end is told.
  template <class T>
  static void spawn(Scheduler &scheduler, Task<T> task) {
    scheduler.begin();
    scheduler.post(threadbare::run_alone(std::move(task), [&] { scheduler.end(); }).frame);
  }
  // What a task awaits to run another one and to have its value.
  template <class T>
  static Task<T> result(Task<T> &&task) {
    return std::move(task);
  }
  // Waits until every task has ended; the scheduler is destroyed after it.
  static void drain(Scheduler &scheduler) { scheduler.wait(); }

  // What no compiler sees. Each that you can add has more explored. As many threads run tasks as are asked for, and the
  // one that calls `run` is another one.
  static constexpr threadbare::Semantics semantics{.extra_threads = 1};

  // All else is found where it is there: start(scheduler, task) with JoinHandle<T>, when_all, when_any, yield, sleep_for,
  // stop_requested, Mutex, Semaphore, Event, Latch, Barrier, Channel. docs/runtimes.md says what each must do.
};

}  // namespace

THREADBARE_RUNTIME(Adapter)
