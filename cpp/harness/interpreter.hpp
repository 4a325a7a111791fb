// Runs task graphs as coroutines of any runtime that has an adapter (see adapter.hpp).
#pragma once

#include "harness/adapter.hpp"
#include "harness/event.hpp"
#include "harness/holdings.hpp"
#include "harness/mix.hpp"
#include "harness/objects.hpp"
#include "harness/task_graph_spec.hpp"
#include "harness/systems.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace threadbare {

/// What tasks throw.
struct Failure {
  std::uint32_t code;
};

/// The failure of a task that saw that it was asked to stop.
inline constexpr std::uint32_t cancelled = UINT32_MAX;
/// The failure of an operation that ran out of memory.
inline constexpr std::uint32_t out_of_memory = UINT32_MAX - 1;
/// What receiving from a closed and drained channel gives.
inline constexpr std::int64_t closed = INT64_MIN;

/// What is mixed in for a failure that was caught, like `caught` in src/task_graph/model.rs.
constexpr std::int64_t caught(std::uint32_t code) noexcept { return 1'000'003 + std::int64_t{code}; }

/// Calls what gives something back, and awaits what it gives, if anything.
#define THREADBARE_GIVE_BACK(...)                                      \
  do {                                                                 \
    if constexpr (offered::Suspending<decltype(__VA_ARGS__)>) {        \
      co_await __VA_ARGS__;                                            \
    } else {                                                           \
      __VA_ARGS__;                                                     \
    }                                                                  \
  } while (false)

/// Runs one task graph. Uses no atomics or locks of its own: they would be scheduling points, and would hide races. What
/// the adapter lacks no task graph asks for that it is given; src/task_graph/narrow.rs sees to that.
template <RuntimeAdapter Adapter>
class Interpreter {
  using Unique = std::unique_ptr<std::int64_t>;
  template <Affinity A, class T>
  using Task = offered::Task<Adapter, A, T>;
  using AnyTask = offered::AnyTask<Adapter>;
  using Held = Holdings<Adapter>;
  using AnyHandle = typename Held::AnyHandle;
  using Scheduler = typename Adapter::Scheduler;
  static constexpr Semantics semantics = offered::semantics<Adapter>();

 public:
  explicit Interpreter(const TaskGraphSpec &graph) : graph_(graph) {}

  /// On the calling thread, which is the main thread, and so many less one. Throws std::bad_alloc, with everything
  /// freed again, where memory runs out before the root's body began.
  void execute(unsigned threads) {
    if constexpr (semantics.shutdown == Shutdown::Destroys) {
      // Lifetime: the scheduler is destroyed first, since it destroys tasks that use the objects.
      Objects<Adapter> objects(graph_.objects);
      with_systems([&] {
        Scheduler scheduler(threads);
        run(scheduler, objects);
      });
    } else {
      with_systems([&] {
        Scheduler scheduler(threads);
        Objects<Adapter> objects(graph_.objects, &scheduler);
        run(scheduler, objects);
      });
    }
  }

 private:
  template <class Run>
  void with_systems(Run run) {
    const std::unique_ptr<Systems> systems = make_systems(graph_.objects);
    systems_ = systems.get();
    run();
    record(0, 0, EventKind::ContextsLeft, static_cast<std::int64_t>(systems->live_contexts()));
  }

  void run(Scheduler &scheduler, Objects<Adapter> &objects) {
    scheduler_ = &scheduler;
    objects_ = &objects;
    try {
      switch (graph_.tasks[0].result) {
        case ResultKind::Int: Adapter::run(scheduler, int_task<Affinity::Main>(FrameToken(0), 0)); break;
        case ResultKind::Unique: Adapter::run(scheduler, unique_task<Affinity::Main>(FrameToken(0), 0)); break;
        case ResultKind::Void: Adapter::run(scheduler, void_task<Affinity::Main>(FrameToken(0), 0)); break;
      }
    } catch (const Failure &) {
      // The root recorded it.
    }
    Adapter::drain(scheduler);
  }

  /// A task of any kind as coroutines; the index is the position in `AnyTask`.
  enum class TaskKind : std::uint8_t { MainInt, WorkerInt, MainUnique, WorkerUnique, MainVoid, WorkerVoid };

  TaskKind kind_of(std::uint32_t task) const noexcept {
    const TaskSpec &spec = graph_.tasks[task];
    return static_cast<TaskKind>(static_cast<unsigned>(spec.result) * 2 + static_cast<unsigned>(spec.affinity));
  }

  /// The body of every task, and the whole of those that give an int.
  template <Affinity A>
  Task<A, std::int64_t> int_task([[maybe_unused]] FrameToken token, std::uint32_t task) {
    record(task, 0, EventKind::TaskBegin, 0);
    const std::span<const OperationSpec> operations =
        graph_.operations.subspan(graph_.tasks[task].first_operation, graph_.tasks[task].operation_count);
    std::int64_t accumulator = 0;
    // Outside of the try, so that what the task holds is released after its end was recorded: whoever gets
    // it next records that later.
    Held held;
    std::uint32_t index = 0;
    while (true) {
      std::uint32_t code = 0;
      // Apart from the exceptions that it catches, so that a task throws once.
      bool failed = false;
      try {
        while (index < operations.size()) {
          const OperationSpec &operation = operations[index];
          const std::uint32_t object = operation.object;
          std::int64_t gave = 0;
          record(task, index, EventKind::OperationBegin, operation.code == OperationCode::Sleep ? now() : 0);
          switch (operation.code) {
            case OperationCode::Compute: accumulator = mix(seeded_bug(accumulator), operation.value); break;
            case OperationCode::Await:
            case OperationCode::AwaitCatch: {
              switch (kind_of(object)) {
                case TaskKind::MainInt: gave = co_await Adapter::result(int_task<Affinity::Main>(FrameToken(object), object)); break;
                case TaskKind::WorkerInt: gave = co_await Adapter::result(int_task<Affinity::Worker>(FrameToken(object), object)); break;
                case TaskKind::MainUnique: {
                  const Unique result = co_await Adapter::result(unique_task<Affinity::Main>(FrameToken(object), object));
                  gave = *result;
                  break;
                }
                case TaskKind::WorkerUnique: {
                  const Unique result = co_await Adapter::result(unique_task<Affinity::Worker>(FrameToken(object), object));
                  gave = *result;
                  break;
                }
                case TaskKind::MainVoid: co_await Adapter::result(void_task<Affinity::Main>(FrameToken(object), object)); break;
                case TaskKind::WorkerVoid: co_await Adapter::result(void_task<Affinity::Worker>(FrameToken(object), object)); break;
              }
              accumulator = mix(accumulator, gave);
              break;
            }
            case OperationCode::WhenAll:
              if constexpr (offered::WhenAll<Adapter>) {
                std::vector<AnyTask> children = make_children(operation);
                co_await offered::call_when_all<Adapter>(*scheduler_, children);
                for (AnyTask &child : children) accumulator = mix(accumulator, result_of(child));
              }
              break;
            case OperationCode::WhenAny:
              if constexpr (offered::WhenAny<Adapter>) {
                std::vector<AnyTask> children = make_children(operation);
                const std::size_t winner = co_await offered::call_when_any<Adapter>(*scheduler_, children);
                const std::int64_t result = result_of(children[winner]);
                gave = static_cast<std::int64_t>(winner);
                accumulator = mix(mix(accumulator, gave), result);
              }
              break;
            case OperationCode::Start:
              if constexpr (offered::Start<Adapter>) {
                if (is_given_up(operations, index)) {
                  spawn(object);
                } else {
                  Held::make_room(held.handles);
                  held.handles.emplace_back(object, start(object));
                }
              } else {
                spawn(object);
              }
              break;
            case OperationCode::Join:
              if constexpr (offered::Start<Adapter>) {
                AnyHandle handle = Held::take(held.handles, object);
                if (auto *of_int = std::get_if<0>(&handle)) {
                  gave = co_await Adapter::result(std::move(*of_int));
                } else if (auto *of_unique = std::get_if<1>(&handle)) {
                  const Unique result = co_await Adapter::result(std::move(*of_unique));
                  gave = *result;
                } else {
                  co_await Adapter::result(std::move(*std::get_if<2>(&handle)));
                }
                accumulator = mix(accumulator, gave);
              }
              break;
            case OperationCode::Detach:
              if constexpr (offered::Start<Adapter>) detach(held, object);
              break;
            case OperationCode::Cancel:
              if constexpr (offered::RequestStop<Adapter>) cancel(held, object);
              break;
            case OperationCode::Hop:
              if constexpr (offered::Hop<Adapter>) co_await Adapter::hop(static_cast<Affinity>(object));
              break;
            case OperationCode::Yield:
              if constexpr (offered::Yield<Adapter>) co_await offered::call_yield<Adapter>(*scheduler_);
              break;
            case OperationCode::Sleep:
              if constexpr (offered::Sleep<Adapter>) {
                co_await offered::call_sleep_for<Adapter>(*scheduler_, std::chrono::microseconds(object));
              }
              gave = now();
              break;
            case OperationCode::Throw:
              failed = true;
              code = object;
              break;
            case OperationCode::CheckCancel:
              if constexpr (offered::StopRequested<Adapter>) {
                // A variable, since g++ 12 miscompiles a co_await in a condition.
                failed = co_await Adapter::stop_requested();
                code = cancelled;
              }
              break;
            case OperationCode::Lock:
              if constexpr (offered::Mutex<Adapter>) {
                Held::make_room(held.guards);
                typename Held::Guard guard = co_await objects_->mutexes[object].lock();
                held.guards.emplace_back(object, std::move(guard));
              }
              break;
            case OperationCode::Unlock:
              if constexpr (offered::Mutex<Adapter>) {
                THREADBARE_GIVE_BACK(Held::take(held.guards, object).unlock());
              }
              break;
            case OperationCode::Acquire:
              if constexpr (offered::Semaphore<Adapter>) co_await objects_->semaphores[object].acquire();
              break;
            case OperationCode::Release:
              if constexpr (offered::Semaphore<Adapter>) THREADBARE_GIVE_BACK(objects_->semaphores[object].release());
              break;
            case OperationCode::SetEvent:
              if constexpr (offered::Event<Adapter>) THREADBARE_GIVE_BACK(objects_->events[object].set());
              break;
            case OperationCode::ResetEvent:
              if constexpr (offered::Event<Adapter>) objects_->events[object].reset();
              break;
            case OperationCode::WaitEvent:
              if constexpr (offered::Event<Adapter>) co_await objects_->events[object].wait();
              break;
            case OperationCode::LatchArrive:
              if constexpr (offered::Latch<Adapter>) THREADBARE_GIVE_BACK(objects_->latches[object].arrive());
              break;
            case OperationCode::LatchWait:
              if constexpr (offered::Latch<Adapter>) co_await objects_->latches[object].wait();
              break;
            case OperationCode::BarrierArrive:
              if constexpr (offered::Barrier<Adapter>) {
                Held::make_room(held.tickets);
                held.keep_ticket(object, objects_->barriers[object].arrive());
              }
              break;
            case OperationCode::BarrierWait:
              if constexpr (offered::Barrier<Adapter>) {
                co_await objects_->barriers[object].wait(Held::find(held.tickets, object));
              }
              break;
            case OperationCode::Send:
              if constexpr (offered::Channel<Adapter>) {
                const bool sent = co_await objects_->channels[object].send(operation.value);
                gave = sent ? 1 : 0;
              }
              break;
            case OperationCode::Receive:
              if constexpr (offered::Channel<Adapter>) {
                const std::optional<std::int64_t> received = co_await objects_->channels[object].receive();
                gave = received.value_or(closed);
                accumulator = mix(accumulator, gave);
              }
              break;
            case OperationCode::Close:
              if constexpr (offered::Channel<Adapter>) THREADBARE_GIVE_BACK(objects_->channels[object].close());
              break;
            default: gave = systems_->perform({task, index}, operation, held.branches); break;
          }
          if (failed) break;
          record(task, index, EventKind::OperationEnd, gave);
          ++index;
        }
      } catch (const Failure &failure) {
        code = failure.code;
      } catch (const std::bad_alloc &) {
        code = out_of_memory;
      }
      if (index == operations.size()) break;
      record(task, index, EventKind::OperationFail, code);
      if (operations[index].code != OperationCode::AwaitCatch) {
        record(task, 0, EventKind::TaskFail, code);
        throw Failure{code};
      }
      accumulator = mix(accumulator, caught(code));
      ++index;
    }
    record(task, 0, EventKind::TaskEnd, graph_.tasks[task].result == ResultKind::Void ? 0 : accumulator);
    co_return accumulator;
  }

  template <Affinity A>
  Task<A, Unique> unique_task([[maybe_unused]] FrameToken token, std::uint32_t task) {
    // First of all, since the task must not fail after its end was recorded.
    Unique result = before_body(task, [] { return std::make_unique<std::int64_t>(); });
    *result = co_await Adapter::result(before_body(task, [this, task] { return int_task<A>(FrameToken(), task); }));
    co_return std::move(result);
  }

  template <Affinity A>
  Task<A, void> void_task([[maybe_unused]] FrameToken token, std::uint32_t task) {
    co_await Adapter::result(before_body(task, [this, task] { return int_task<A>(FrameToken(), task); }));
  }

  /// Makes what a task needs before its body begins. Running out of memory for it is how the task begins and fails.
  template <class Make>
  static auto before_body(std::uint32_t task, Make make) {
    try {
      return make();
    } catch (const std::bad_alloc &) {
      record(task, 0, EventKind::TaskBegin, 0);
      record(task, 0, EventKind::TaskFail, out_of_memory);
      throw Failure{out_of_memory};
    }
  }

  [[gnu::noinline]] std::vector<AnyTask> make_children(const OperationSpec &operation) {
    std::vector<AnyTask> children;
    children.reserve(operation.child_count);
    for (const std::uint32_t child : graph_.children.subspan(operation.object, operation.child_count)) {
      make_any(child, [&](auto kind, auto task) { children.emplace_back(kind, std::move(task)); });
    }
    return children;
  }

  /// Makes a task and gives it to `take`, with its place in `AnyTask`.
  template <class Take>
  void make_any(std::uint32_t task, Take take) {
    switch (kind_of(task)) {
      case TaskKind::MainInt: take(std::in_place_index<0>, int_task<Affinity::Main>(FrameToken(task), task)); break;
      case TaskKind::WorkerInt: take(std::in_place_index<1>, int_task<Affinity::Worker>(FrameToken(task), task)); break;
      case TaskKind::MainUnique: take(std::in_place_index<2>, unique_task<Affinity::Main>(FrameToken(task), task)); break;
      case TaskKind::WorkerUnique:
        take(std::in_place_index<3>, unique_task<Affinity::Worker>(FrameToken(task), task));
        break;
      case TaskKind::MainVoid: take(std::in_place_index<4>, void_task<Affinity::Main>(FrameToken(task), task)); break;
      case TaskKind::WorkerVoid: take(std::in_place_index<5>, void_task<Affinity::Worker>(FrameToken(task), task)); break;
    }
  }

  [[gnu::noinline]] AnyHandle start(std::uint32_t child) {
    std::optional<AnyHandle> handle;
    make_any(child, [&]<std::size_t Kind>(std::in_place_index_t<Kind>, auto task) {
      handle.emplace(std::in_place_index<Kind / 2>, Adapter::start(*scheduler_, std::move(task)));
    });
    return std::move(*handle);
  }

  [[gnu::noinline]] void spawn(std::uint32_t child) {
    make_any(child, [&](auto, auto task) { Adapter::spawn(*scheduler_, std::move(task)); });
  }

  /// Whether the task that this operation starts is given up where it is started, and the runtime must know by then.
  static bool is_given_up(std::span<const OperationSpec> operations, std::uint32_t index) noexcept {
    if constexpr (semantics.detach == Detach::AnyTime) return false;
    return index + 1 < operations.size() && operations[index + 1].code == OperationCode::Detach &&
           operations[index + 1].object == operations[index].object;
  }

  /// The result of a child that has ended, 0 for void, or its failure.
  [[gnu::noinline]] static std::int64_t result_of(AnyTask &child) {
    switch (static_cast<TaskKind>(child.index())) {
      case TaskKind::MainInt: return Adapter::ended(*std::get_if<0>(&child));
      case TaskKind::WorkerInt: return Adapter::ended(*std::get_if<1>(&child));
      case TaskKind::MainUnique: return *Adapter::ended(*std::get_if<2>(&child));
      case TaskKind::WorkerUnique: return *Adapter::ended(*std::get_if<3>(&child));
      case TaskKind::MainVoid: Adapter::ended(*std::get_if<4>(&child)); break;
      case TaskKind::WorkerVoid: Adapter::ended(*std::get_if<5>(&child)); break;
    }
    return 0;
  }

  [[gnu::noinline]] static void detach(Held &held, std::uint32_t child) {
    // Not there where it was given up at the start.
    if (!Held::has(held.handles, child)) return;
    AnyHandle handle = Held::take(held.handles, child);
    std::visit([](auto &each) { each.detach(); }, handle);
  }

  [[gnu::noinline]] static void cancel(Held &held, std::uint32_t child) {
    std::visit([](auto &each) { each.request_stop(); }, Held::find(held.handles, child));
  }

  /// Where the seeded bug is on, tasks keep what they compute in one place, with a scheduling point between the store and
  /// the load: two that run at once get each other's.
  std::int64_t seeded_bug(std::int64_t value) noexcept {
#ifdef THREADBARE_SEEDED_BUG
    shared_.store(value, std::memory_order_relaxed);
    return shared_.load(std::memory_order_relaxed);
#else
    return value;
#endif
  }

  /// Microseconds of the clock that timers go by.
  static std::int64_t now() {
    const auto since_epoch = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count();
  }

  const TaskGraphSpec &graph_;
  Objects<Adapter> *objects_ = nullptr;
  Systems *systems_ = nullptr;
  Scheduler *scheduler_ = nullptr;
#ifdef THREADBARE_SEEDED_BUG
  std::atomic<std::int64_t> shared_{0};
#endif
};

#undef THREADBARE_GIVE_BACK

}  // namespace threadbare
