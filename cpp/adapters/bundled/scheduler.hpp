// The adapter of the bundled runtime.
#pragma once

#include "harness/runtime.hpp"
#include "runtime/runtime.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace threadbare {

constexpr runtime::Affinity to_runtime(Affinity affinity) noexcept {
  return affinity == Affinity::Main ? runtime::Affinity::Main : runtime::Affinity::Worker;
}

/// The bundled runtime under a policy, for the interpreter.
template <class Policy>
struct BundledAdapter {
  template <Affinity A, class T>
  using Task = runtime::Task<to_runtime(A), T, Policy>;
  using Scheduler = runtime::BasicScheduler<Policy>;
  template <class T>
  using JoinHandle = runtime::JoinHandle<T, Policy>;

  static constexpr Semantics semantics{
      .detach = Detach::AnyTime,
      .losers = Losers::StoppedAndAwaited,
      .any_failure = AnyFailure::Wins,
      .shutdown = Shutdown::Destroys,
      .out_of_memory = OutOfMemory::Throws,
  };

  template <class T>
  static T run(Scheduler &scheduler, Task<Affinity::Main, T> task) {
    return scheduler.run(std::move(task));
  }
  template <runtime::Affinity A, class T>
  static void spawn(Scheduler &scheduler, runtime::Task<A, T, Policy> task) {
    scheduler.start(std::move(task)).detach();
  }
  template <runtime::Affinity A, class T>
  static auto result(runtime::Task<A, T, Policy> &&task) noexcept {
    return std::move(task).operator co_await();
  }
  template <class T>
  static auto result(JoinHandle<T> &&handle) noexcept {
    return std::move(handle).operator co_await();
  }
  /// The scheduler destroys what has not ended.
  static void drain(Scheduler &) noexcept {}
  template <runtime::Affinity A, class T>
  static JoinHandle<T> start(Scheduler &scheduler, runtime::Task<A, T, Policy> task) {
    return scheduler.start(std::move(task));
  }
  template <runtime::Affinity A, class T>
  static T ended(runtime::Task<A, T, Policy> &task) {
    return task.result();
  }
  template <class AnyTask>
  static auto when_all(std::vector<AnyTask> &tasks) {
    return runtime::when_all_ready(tasks);
  }
  template <class AnyTask>
  static auto when_any(std::vector<AnyTask> &tasks) {
    return runtime::when_any(tasks);
  }
  static auto hop(Affinity target) { return runtime::hop(to_runtime(target)); }
  static auto yield() { return runtime::yield(); }
  static auto sleep_for(std::chrono::microseconds duration) { return runtime::sleep_for(duration); }
  static auto stop_requested() { return runtime::stop_requested(); }

  using Mutex = runtime::AsyncMutex;
  using Semaphore = runtime::AsyncSemaphore;
  struct Event : Policy::Event {
    explicit Event(bool auto_reset)
        : Policy::Event(auto_reset ? runtime::EventReset::Auto : runtime::EventReset::Manual) {}
  };
  using Latch = runtime::Latch;
  using Barrier = runtime::Barrier;
  using Channel = runtime::Channel<std::int64_t>;
};

}  // namespace threadbare
