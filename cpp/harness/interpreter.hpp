// Runs task graphs as coroutines of any runtime that has an adapter (see adapter.hpp).
#pragma once

#include "harness/adapter.hpp"
#include "harness/event.hpp"
#include "harness/holdings.hpp"
#include "harness/mix.hpp"
#include "harness/objects.hpp"
#include "harness/task_graph_spec.hpp"
#include "harness/systems.hpp"

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

/// Runs one task graph. Uses no atomics or locks of its own: they would be scheduling points, and would hide races.
template <RuntimeAdapter Adapter>
class Interpreter {
  using Unique = std::unique_ptr<std::int64_t>;
  template <Affinity A, class T>
  using Task = typename Adapter::template Task<A, T>;
  using AnyTask = std::variant<Task<Affinity::Main, std::int64_t>, Task<Affinity::Worker, std::int64_t>,
                               Task<Affinity::Main, Unique>, Task<Affinity::Worker, Unique>,
                               Task<Affinity::Main, void>, Task<Affinity::Worker, void>>;
  using Held = Holdings<Adapter>;
  using AnyHandle = typename Held::AnyHandle;

 public:
  explicit Interpreter(const TaskGraphSpec &graph) : graph_(graph), objects_(graph.objects) {}

  /// On the calling thread, which is the main thread, and so many less one. Throws std::bad_alloc, with everything
  /// freed again, where memory runs out before the root's body began; so may the constructor.
  void execute(unsigned threads) {
    const std::unique_ptr<Systems> systems = make_systems(graph_.objects);
    systems_ = systems.get();
    run(threads);
    record(0, 0, EventKind::ContextsLeft, static_cast<std::int64_t>(systems->live_contexts()));
  }

 private:
  void run(unsigned threads) {
    // Lifetime: destroyed before the objects, since it destroys the tasks that use them.
    typename Adapter::Scheduler scheduler(threads);
    scheduler_ = &scheduler;
    try {
      switch (graph_.tasks[0].result) {
        case ResultKind::Int: Adapter::run(scheduler, int_task<Affinity::Main>(FrameToken(0), 0)); break;
        case ResultKind::Unique: Adapter::run(scheduler, unique_task<Affinity::Main>(FrameToken(0), 0)); break;
        case ResultKind::Void: Adapter::run(scheduler, void_task<Affinity::Main>(FrameToken(0), 0)); break;
      }
    } catch (const Failure &) {
      // The root recorded it.
    }
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
            case OperationCode::Compute: accumulator = mix(accumulator, operation.value); break;
            case OperationCode::Await:
            case OperationCode::AwaitCatch: {
              switch (kind_of(object)) {
                case TaskKind::MainInt: gave = co_await int_task<Affinity::Main>(FrameToken(object), object); break;
                case TaskKind::WorkerInt: gave = co_await int_task<Affinity::Worker>(FrameToken(object), object); break;
                case TaskKind::MainUnique: {
                  const Unique result = co_await unique_task<Affinity::Main>(FrameToken(object), object);
                  gave = *result;
                  break;
                }
                case TaskKind::WorkerUnique: {
                  const Unique result = co_await unique_task<Affinity::Worker>(FrameToken(object), object);
                  gave = *result;
                  break;
                }
                case TaskKind::MainVoid: co_await void_task<Affinity::Main>(FrameToken(object), object); break;
                case TaskKind::WorkerVoid: co_await void_task<Affinity::Worker>(FrameToken(object), object); break;
              }
              accumulator = mix(accumulator, gave);
              break;
            }
            case OperationCode::WhenAll: {
              std::vector<AnyTask> children = make_children(operation);
              co_await Adapter::when_all(children);
              for (AnyTask &child : children) accumulator = mix(accumulator, result_of(child));
              break;
            }
            case OperationCode::WhenAny: {
              std::vector<AnyTask> children = make_children(operation);
              const std::size_t winner = co_await Adapter::when_any(children);
              const std::int64_t result = result_of(children[winner]);
              gave = static_cast<std::int64_t>(winner);
              accumulator = mix(mix(accumulator, gave), result);
              break;
            }
            case OperationCode::Start:
              Held::make_room(held.handles);
              held.handles.emplace_back(object, start(object));
              break;
            case OperationCode::Join: {
              AnyHandle handle = Held::take(held.handles, object);
              if (auto *of_int = std::get_if<0>(&handle)) {
                gave = co_await std::move(*of_int);
              } else if (auto *of_unique = std::get_if<1>(&handle)) {
                const Unique result = co_await std::move(*of_unique);
                gave = *result;
              } else {
                co_await std::move(*std::get_if<2>(&handle));
              }
              accumulator = mix(accumulator, gave);
              break;
            }
            case OperationCode::Detach: detach(held, object); break;
            case OperationCode::Cancel: cancel(held, object); break;
            case OperationCode::Hop: co_await Adapter::hop(static_cast<Affinity>(object)); break;
            case OperationCode::Yield: co_await Adapter::yield(); break;
            case OperationCode::Sleep:
              co_await Adapter::sleep_for(std::chrono::microseconds(object));
              gave = now();
              break;
            case OperationCode::Throw:
              failed = true;
              code = object;
              break;
            case OperationCode::CheckCancel: {
              // A variable, since g++ 12 miscompiles a co_await in a condition.
              failed = co_await Adapter::stop_requested();
              code = cancelled;
              break;
            }
            case OperationCode::Lock: {
              Held::make_room(held.guards);
              typename Held::Guard guard = co_await objects_.mutexes[object].lock();
              held.guards.emplace_back(object, std::move(guard));
              break;
            }
            case OperationCode::Unlock: Held::take(held.guards, object).unlock(); break;
            case OperationCode::Acquire: co_await objects_.semaphores[object].acquire(); break;
            case OperationCode::Release: objects_.semaphores[object].release(); break;
            case OperationCode::SetEvent: objects_.events[object].set(); break;
            case OperationCode::ResetEvent: objects_.events[object].reset(); break;
            case OperationCode::WaitEvent: co_await objects_.events[object].wait(); break;
            case OperationCode::LatchArrive: objects_.latches[object].arrive(); break;
            case OperationCode::LatchWait: co_await objects_.latches[object].wait(); break;
            case OperationCode::BarrierArrive:
              Held::make_room(held.tickets);
              held.keep_ticket(object, objects_.barriers[object].arrive());
              break;
            case OperationCode::BarrierWait:
              co_await objects_.barriers[object].wait(Held::find(held.tickets, object));
              break;
            case OperationCode::Send: {
              const bool sent = co_await objects_.channels[object].send(operation.value);
              gave = sent ? 1 : 0;
              break;
            }
            case OperationCode::Receive: {
              const std::optional<std::int64_t> received = co_await objects_.channels[object].receive();
              gave = received.value_or(closed);
              accumulator = mix(accumulator, gave);
              break;
            }
            case OperationCode::Close: objects_.channels[object].close(); break;
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
    *result = co_await before_body(task, [this, task] { return int_task<A>(FrameToken(), task); });
    co_return std::move(result);
  }

  template <Affinity A>
  Task<A, void> void_task([[maybe_unused]] FrameToken token, std::uint32_t task) {
    co_await before_body(task, [this, task] { return int_task<A>(FrameToken(), task); });
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
      switch (kind_of(child)) {
        case TaskKind::MainInt: children.emplace_back(int_task<Affinity::Main>(FrameToken(child), child)); break;
        case TaskKind::WorkerInt: children.emplace_back(int_task<Affinity::Worker>(FrameToken(child), child)); break;
        case TaskKind::MainUnique: children.emplace_back(unique_task<Affinity::Main>(FrameToken(child), child)); break;
        case TaskKind::WorkerUnique:
          children.emplace_back(unique_task<Affinity::Worker>(FrameToken(child), child));
          break;
        case TaskKind::MainVoid: children.emplace_back(void_task<Affinity::Main>(FrameToken(child), child)); break;
        case TaskKind::WorkerVoid: children.emplace_back(void_task<Affinity::Worker>(FrameToken(child), child)); break;
      }
    }
    return children;
  }

  [[gnu::noinline]] AnyHandle start(std::uint32_t child) {
    switch (kind_of(child)) {
      case TaskKind::MainInt: return Adapter::start(*scheduler_, int_task<Affinity::Main>(FrameToken(child), child));
      case TaskKind::WorkerInt:
        return Adapter::start(*scheduler_, int_task<Affinity::Worker>(FrameToken(child), child));
      case TaskKind::MainUnique:
        return Adapter::start(*scheduler_, unique_task<Affinity::Main>(FrameToken(child), child));
      case TaskKind::WorkerUnique:
        return Adapter::start(*scheduler_, unique_task<Affinity::Worker>(FrameToken(child), child));
      case TaskKind::MainVoid: return Adapter::start(*scheduler_, void_task<Affinity::Main>(FrameToken(child), child));
      case TaskKind::WorkerVoid: break;
    }
    return Adapter::start(*scheduler_, void_task<Affinity::Worker>(FrameToken(child), child));
  }

  /// The result of a child that has ended, 0 for void, or its failure.
  [[gnu::noinline]] static std::int64_t result_of(AnyTask &child) {
    switch (static_cast<TaskKind>(child.index())) {
      case TaskKind::MainInt: return std::get_if<0>(&child)->result();
      case TaskKind::WorkerInt: return std::get_if<1>(&child)->result();
      case TaskKind::MainUnique: return *std::get_if<2>(&child)->result();
      case TaskKind::WorkerUnique: return *std::get_if<3>(&child)->result();
      case TaskKind::MainVoid: std::get_if<4>(&child)->result(); break;
      case TaskKind::WorkerVoid: std::get_if<5>(&child)->result(); break;
    }
    return 0;
  }

  [[gnu::noinline]] static void detach(Held &held, std::uint32_t child) {
    AnyHandle handle = Held::take(held.handles, child);
    std::visit([](auto &each) { each.detach(); }, handle);
  }

  [[gnu::noinline]] static void cancel(Held &held, std::uint32_t child) {
    std::visit([](auto &each) { each.request_stop(); }, Held::find(held.handles, child));
  }

  /// Microseconds of the clock that timers go by.
  static std::int64_t now() {
    const auto since_epoch = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count();
  }

  const TaskGraphSpec &graph_;
  Objects<Adapter> objects_;
  Systems *systems_ = nullptr;
  typename Adapter::Scheduler *scheduler_ = nullptr;
};

}  // namespace threadbare
