// The adapter of the bundled runtime, and the subject made of it.
#pragma once

#include "harness/interpreter.hpp"
#include "harness/subject.hpp"
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

/// The bundled runtime as a subject: its scheduler under a policy, and systems.
template <class Policy>
class Bundled final : public Subject {
 public:
  explicit Bundled(SystemsFactory &make_systems) noexcept : make_systems_(make_systems) {}

  void execute(const ProgramSpec &program, unsigned threads) override {
    Interpreter<BundledAdapter<Policy>>(program, make_systems_).execute(threads);
  }

  std::vector<std::int64_t> recover(const ObjectsSpec &objects) override { return make_systems_(objects)->recover(); }

 private:
  SystemsFactory &make_systems_;
};

}  // namespace threadbare
