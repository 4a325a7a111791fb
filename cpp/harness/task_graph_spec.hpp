// A task graph in the form that interpreters read: views of plain arrays, with the layout of the structs of
// the same names in src/runtime.rs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace threadbare {

/// `Main`: only on the main thread. `Worker`: on any thread.
enum class Affinity : std::uint8_t { Main, Worker };

/// What a task gives: its accumulator, that in a `std::unique_ptr`, or nothing.
enum class ResultKind : std::uint8_t { Int, Unique, Void };

/// The operations, by their numbers in src/task_graph/code.rs, and those on systems by those in src/task_graph/call.rs.
enum class OperationCode : std::uint8_t {
  Compute,
  Await,
  AwaitCatch,
  WhenAll,
  WhenAny,
  Start,
  Join,
  Detach,
  Hop,
  Yield,
  Sleep,
  Throw,
  Cancel,
  CheckCancel,
  Lock,
  Unlock,
  Acquire,
  Release,
  SetEvent,
  ResetEvent,
  WaitEvent,
  LatchArrive,
  LatchWait,
  BarrierArrive,
  BarrierWait,
  Send,
  Receive,
  Close,
  Resume = 64,
  BeginBranch,
  NestBranch,
  EndBranch,
  GetContext,
  PutContext,
  StartArc,
  ProgressArc,
  CompleteArc,
  CancelArc,
  ArcStatus,
  ActiveArcs,
  ProcessArcs,
  AcquireLease,
  RefreshLease,
  ReleaseLease,
  LeaseHolder,
  CleanupStale,
};

struct TaskSpec {
  Affinity affinity;
  ResultKind result;
  std::uint32_t first_operation;
  std::uint32_t operation_count;
};
static_assert(sizeof(TaskSpec) == 12 && offsetof(TaskSpec, first_operation) == 4);

struct OperationSpec {
  OperationCode code;
  /// The object, task, affinity, microseconds, failure code, or index of the first of `child_count`
  /// children in `TaskGraphSpec::children`, as the operation has it.
  std::uint32_t object;
  std::uint32_t child_count;
  /// Of `Compute`, `Send` and `PutContext`; of a call the body, the agent, the microseconds, or the pair in its halves,
  /// `a` in the upper one.
  std::int64_t value;
};
static_assert(sizeof(OperationSpec) == 24 && offsetof(OperationSpec, object) == 4 &&
              offsetof(OperationSpec, value) == 16);

/// One entry per object; see `Objects` in src/task_graph/model.rs.
struct ObjectsSpec {
  std::uint32_t mutexes = 0;
  std::span<const std::uint32_t> semaphores;
  /// 0 manual, 1 auto-reset.
  std::span<const std::uint8_t> events;
  std::span<const std::uint32_t> latches;
  std::span<const std::uint32_t> barriers;
  std::span<const std::uint32_t> channels;
  /// 0 checked, 1 unchecked.
  std::span<const std::uint8_t> processors;
  std::uint32_t engines = 0;
  std::uint32_t registries = 0;
  std::uint32_t leases = 0;
};

/// Task 0 is the root. Every other task is begun by one operation of a task with a lower index.
struct TaskGraphSpec {
  std::span<const TaskSpec> tasks;
  std::span<const OperationSpec> operations;
  std::span<const std::uint32_t> children;
  ObjectsSpec objects;
};

}  // namespace threadbare
