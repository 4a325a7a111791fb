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

  template <class T>
  static T run(Scheduler &scheduler, Task<Affinity::Main, T> task) {
    return scheduler.run(std::move(task));
  }
  template <runtime::Affinity A, class T>
  static JoinHandle<T> start(Scheduler &scheduler, runtime::Task<A, T, Policy> task) {
    return scheduler.start(std::move(task));
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
  struct Event : runtime::Event {
    explicit Event(bool auto_reset)
        : runtime::Event(auto_reset ? runtime::EventReset::Auto : runtime::EventReset::Manual) {}
  };
  using Latch = runtime::Latch;
  using Barrier = runtime::Barrier;
  using Channel = runtime::Channel<std::int64_t>;
};

}  // namespace threadbare
