#include "check.hpp"
#include "directory.hpp"
#include "harness/directory.hpp"
#include "harness/event.hpp"
#include "harness/interpreter.hpp"
#include "harness/runtime_interface.hpp"
#include "harness/systems.hpp"
#include "limits.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace threadbare;

namespace {

struct Recorded {
  std::uint32_t task;
  std::uint16_t operation;
  EventKind kind;
  std::int64_t value;
  std::thread::id thread;
};

std::mutex recording;
std::vector<Recorded> recorded;
/// Of the present execution.
std::optional<Directory> directory;
std::string directory_path;

using enum OperationCode;

/// Builds a task graph from lists of operations; the spans point into it.
class TaskGraph {
 public:
  using Operations = std::vector<OperationSpec>;

  std::uint32_t task(Affinity affinity, ResultKind result, const Operations &operations) {
    tasks_.push_back({affinity, result, static_cast<std::uint32_t>(operations_.size()),
                      static_cast<std::uint32_t>(operations.size())});
    operations_.insert(operations_.end(), operations.begin(), operations.end());
    return static_cast<std::uint32_t>(tasks_.size() - 1);
  }

  OperationSpec with_children(OperationCode code, const std::vector<std::uint32_t> &children) {
    const auto first = static_cast<std::uint32_t>(children_.size());
    children_.insert(children_.end(), children.begin(), children.end());
    return {code, first, static_cast<std::uint32_t>(children.size()), 0};
  }

  [[nodiscard]] std::size_t size() const { return tasks_.size(); }

  /// Runs it and returns what was recorded, after checking what holds of every execution.
  std::vector<Recorded> run(unsigned threads) const {
    const std::uint32_t one = 1;
    const std::uint8_t checked = 0;
    const std::uint8_t resets[] = {0, 1};
    const TaskGraphSpec spec{.tasks = tasks_,
                           .operations = operations_,
                           .children = children_,
                           .objects = {.mutexes = 1,
                                       .semaphores = {&one, 1},
                                       .events = resets,
                                       .latches = {&one, 1},
                                       .barriers = {&one, 1},
                                       .channels = {&one, 1},
                                       .processors = {&checked, 1},
                                       .engines = 1,
                                       .registries = 1,
                                       .leases = 1}};
    recorded.clear();
    directory_path = directory.emplace() / "";
    const std::unique_ptr<Runtime> runtime(threadbare_make_runtime());
    runtime->execute(spec, threads);
    check_lifecycle();
    return recorded;
  }

 private:
  void check_lifecycle() const {
    std::vector<std::map<EventKind, int>> counts(tasks_.size());
    for (const Recorded &event : recorded) {
      ++counts[event.task][event.kind];
      if (event.kind == EventKind::TaskBegin && tasks_[event.task].affinity == Affinity::Main) {
        CHECK(event.thread == std::this_thread::get_id());
      }
    }
    for (auto &count : counts) {
      CHECK(count[EventKind::FrameMade] <= 1);
      CHECK(count[EventKind::FrameMade] == count[EventKind::FrameFreed]);
      CHECK(count[EventKind::TaskBegin] <= count[EventKind::FrameMade]);
      CHECK(count[EventKind::TaskEnd] + count[EventKind::TaskFail] <= count[EventKind::TaskBegin]);
    }
  }

  std::vector<TaskSpec> tasks_;
  std::vector<OperationSpec> operations_;
  std::vector<std::uint32_t> children_;
};

OperationSpec op(OperationCode code, std::uint32_t object = 0, std::int64_t value = 0) { return {code, object, 0, value}; }

/// The value of the one event of that kind.
std::int64_t value_of(const std::vector<Recorded> &events, std::uint32_t task, EventKind kind,
                      std::uint16_t operation = 0) {
  const Recorded *found = nullptr;
  for (const Recorded &event : events) {
    if (event.task == task && event.kind == kind && event.operation == operation) {
      CHECK(!found);
      found = &event;
    }
  }
  CHECK(found);
  return found->value;
}

/// Two tasks of each kind, with their value, below a root that awaits them with `make`.
template <class Make>
TaskGraph six_kinds(Make make) {
  TaskGraph graph;
  TaskGraph::Operations root;
  for (std::uint32_t child = 1; child <= 6; ++child) {
    for (const OperationSpec &operation : make(child)) root.push_back(operation);
  }
  graph.task(Affinity::Main, ResultKind::Int, root);
  for (std::uint32_t child = 1; child <= 6; ++child) {
    graph.task(static_cast<Affinity>(child % 2), static_cast<ResultKind>((child - 1) / 2),
                 {op(Compute, 0, child), op(Yield)});
  }
  return graph;
}

/// What a root makes of `six_kinds`: void children count as 0.
constexpr std::int64_t six_mixed() {
  std::int64_t accumulator = 0;
  for (const std::int64_t value : {1, 2, 3, 4, 0, 0}) accumulator = mix(accumulator, value);
  return accumulator;
}

}  // namespace

extern "C" void threadbare_record(std::uint32_t task, std::uint16_t operation, std::uint8_t kind,
                                  std::int64_t value) noexcept {
  const std::lock_guard lock(recording);
  recorded.push_back({task, operation, static_cast<EventKind>(kind), value, std::this_thread::get_id()});
}

extern "C" const char *threadbare_directory() noexcept { return directory_path.c_str(); }

TEST("accumulators mix as the model does, wrapping") {
  CHECK(mix(0, 7) == 7);
  CHECK(mix(2, -3) == 59);
  CHECK(mix(INT64_MAX, 1) == INT64_MAX - 29);
  CHECK(caught(5) == 1'000'008);
  CHECK(caught(cancelled) == 1'000'003 + 4'294'967'295);
}

TEST("children of every kind are awaited") {
  const TaskGraph graph = six_kinds([](std::uint32_t child) { return TaskGraph::Operations{op(Await, child)}; });
  for (const unsigned threads : thread_counts) {
    CHECK(value_of(graph.run(threads), 0, EventKind::TaskEnd) == six_mixed());
  }
}

TEST("children of every kind are started and joined") {
  const TaskGraph graph =
      six_kinds([](std::uint32_t child) { return TaskGraph::Operations{op(Start, child), op(Join, child)}; });
  for (const unsigned threads : thread_counts) {
    CHECK(value_of(graph.run(threads), 0, EventKind::TaskEnd) == six_mixed());
  }
}

TEST("children of every kind run at once in when_all") {
  TaskGraph graph;
  graph.task(Affinity::Main, ResultKind::Void, {op(Await, 1)});
  graph.task(Affinity::Worker, ResultKind::Unique, {graph.with_children(WhenAll, {2, 3, 4, 5, 6, 7})});
  for (std::uint32_t child = 1; child <= 6; ++child) {
    graph.task(static_cast<Affinity>(child % 2), static_cast<ResultKind>((child - 1) / 2), {op(Compute, 0, child)});
  }
  for (const unsigned threads : thread_counts) {
    const std::vector<Recorded> events = graph.run(threads);
    CHECK(value_of(events, 0, EventKind::OperationEnd) == six_mixed());
    CHECK(value_of(events, 0, EventKind::TaskEnd) == 0);
  }
}

TEST("when_any gives the winner and cancels the others") {
  TaskGraph graph;
  graph.task(Affinity::Main, ResultKind::Int, {graph.with_children(WhenAny, {1, 2})});
  graph.task(Affinity::Worker, ResultKind::Int, {op(WaitEvent), op(CheckCancel), op(Compute, 0, 1)});
  graph.task(Affinity::Worker, ResultKind::Int, {op(Compute, 0, 5), op(Start, 3)});
  graph.task(Affinity::Main, ResultKind::Void, {op(Sleep, 2'000), op(SetEvent)});
  for (const unsigned threads : thread_counts) {
    const std::vector<Recorded> events = graph.run(threads);
    CHECK(value_of(events, 0, EventKind::OperationEnd) == 1);
    CHECK(value_of(events, 0, EventKind::TaskEnd) == mix(mix(0, 1), 5));
    CHECK(value_of(events, 1, EventKind::TaskFail) == cancelled);
  }
}

TEST("failures cross awaits, joins and when_all, and can be caught") {
  TaskGraph graph;
  graph.task(Affinity::Main, ResultKind::Int,
               {op(AwaitCatch, 1), op(Start, 3), op(AwaitCatch, 4), op(Compute, 0, 1)});
  graph.task(Affinity::Worker, ResultKind::Unique, {op(Await, 2)});
  graph.task(Affinity::Main, ResultKind::Void, {op(Throw, 7), op(Compute)});
  graph.task(Affinity::Worker, ResultKind::Void, {op(Throw, 8)});
  graph.task(Affinity::Main, ResultKind::Int, {graph.with_children(WhenAll, {5, 6})});
  graph.task(Affinity::Worker, ResultKind::Int, {op(Throw, 9)});
  graph.task(Affinity::Worker, ResultKind::Int, {op(Throw, 10)});
  for (const unsigned threads : thread_counts) {
    const std::vector<Recorded> events = graph.run(threads);
    CHECK(value_of(events, 0, EventKind::OperationFail, 0) == 7);
    CHECK(value_of(events, 0, EventKind::OperationFail, 2) == 9);
    CHECK(value_of(events, 2, EventKind::OperationFail) == 7);
    CHECK(value_of(events, 2, EventKind::TaskFail) == 7);
    CHECK(value_of(events, 0, EventKind::TaskEnd) == mix(mix(mix(0, caught(7)), caught(9)), 1));
  }
}

TEST("a root may fail") {
  TaskGraph graph;
  graph.task(Affinity::Main, ResultKind::Int, {op(Throw, 3)});
  for (const unsigned threads : thread_counts) CHECK(value_of(graph.run(threads), 0, EventKind::TaskFail) == 3);
}

TEST("every other operation does what it says") {
  TaskGraph graph;
  graph.task(Affinity::Main, ResultKind::Int,
               {op(Hop, 1), op(Yield), op(Hop, 0), op(Lock), op(Unlock), op(Acquire), op(Release), op(SetEvent),
                op(WaitEvent), op(ResetEvent), op(LatchArrive), op(LatchWait), op(BarrierArrive), op(BarrierWait),
                op(Send, 0, 41), op(Receive), op(Close), op(Send, 0, 1), op(Receive), op(Sleep, 1'500), op(Start, 1),
                op(Cancel, 1), op(SetEvent, 1), op(AwaitCatch, 2), op(Start, 3), op(OperationCode::Detach, 3)});
  graph.task(Affinity::Worker, ResultKind::Int, {op(Sleep, 60'000'000), op(CheckCancel)});
  graph.task(Affinity::Worker, ResultKind::Int, {op(WaitEvent, 1), op(Lock), op(Throw, 2)});
  graph.task(Affinity::Worker, ResultKind::Void, {op(Lock), op(Yield)});
  for (const unsigned threads : thread_counts) {
    const std::vector<Recorded> events = graph.run(threads);
    CHECK(value_of(events, 0, EventKind::OperationEnd, 14) == 1);
    CHECK(value_of(events, 0, EventKind::OperationEnd, 15) == 41);
    CHECK(value_of(events, 0, EventKind::OperationEnd, 17) == 0);
    CHECK(value_of(events, 0, EventKind::OperationEnd, 18) == closed);
    CHECK(value_of(events, 0, EventKind::OperationEnd, 19) >=
          value_of(events, 0, EventKind::OperationBegin, 19) + 1'500);
    CHECK(value_of(events, 0, EventKind::TaskEnd) == mix(mix(mix(0, 41), closed), caught(2)));
  }
}

TEST("calls on systems give what they should, one after another") {
  constexpr std::int64_t pair = std::int64_t{1} << 32 | 2;
  const std::vector<std::pair<OperationSpec, std::int64_t>> calls{
      {op(Resume, 0, 0), 1},          {op(Resume, 0, 1), 1},        {op(Resume, 0, 2), 1},
      {op(BeginBranch), 0},           {op(GetContext), 0},          {op(PutContext, 0, 5), 0},
      {op(NestBranch), 0},            {op(GetContext), 5},          {op(EndBranch), 0},
      {op(EndBranch), 0},             {op(ArcStatus, 0, pair), -1}, {op(StartArc, 0, pair), 1},
      {op(StartArc, 0, pair), 0},     {op(ProgressArc, 0, pair), 1}, {op(ActiveArcs), 1},
      {op(ProcessArcs), 65538 * 31 + 1}, {op(CancelArc, 0, pair), 1},  {op(CompleteArc, 0, pair), 0},
      {op(ArcStatus, 0, pair), 6},    {op(AcquireLease, 0, 7), 1},  {op(AcquireLease, 0, 7), 0},
      {op(RefreshLease, 0, 7), 1},    {op(ReleaseLease, 0, 8), 0},  {op(LeaseHolder), 7},
      {op(CleanupStale, 0, 1'000'000'000), 0}, {op(ReleaseLease, 0, 7), 1}, {op(LeaseHolder), -1}};
  TaskGraph graph;
  TaskGraph::Operations root;
  for (const auto &[call, value] : calls) root.push_back(call);
  graph.task(Affinity::Main, ResultKind::Void, root);
  for (const unsigned threads : thread_counts) {
    const auto events = graph.run(threads);
    for (std::uint16_t i = 0; i < calls.size(); ++i) {
      CHECK(value_of(events, 0, EventKind::OperationEnd, i) == calls[i].second);
    }
    const auto count = [&](EventKind kind) {
      return std::count_if(events.begin(), events.end(), [&](const Recorded &event) { return event.kind == kind; });
    };
    CHECK(count(EventKind::Entered) == 4 && count(EventKind::Leaving) == 4);
    // Started, progressed and cancelled, each told once.
    CHECK(value_of(events, 0, EventKind::Callback, 11) == 65538 * 4);
    CHECK(value_of(events, 0, EventKind::Callback, 13) == 65538 * 4 + 1);
    CHECK(value_of(events, 0, EventKind::Callback, 16) == 65538 * 4 + 3);
    CHECK(count(EventKind::Callback) == 3);
    CHECK(value_of(events, 0, EventKind::ContextsLeft) == 1);
  }
}

TEST("a task that fails in branches ends them") {
  TaskGraph graph;
  graph.task(Affinity::Main, ResultKind::Void, {op(AwaitCatch, 1)});
  graph.task(Affinity::Worker, ResultKind::Void, {op(BeginBranch), op(NestBranch), op(PutContext, 0, 3), op(Throw, 9)});
  for (const unsigned threads : thread_counts) {
    const auto events = graph.run(threads);
    CHECK(value_of(events, 0, EventKind::OperationFail) == 9);
    CHECK(value_of(events, 0, EventKind::ContextsLeft) <= 1);
  }
}
