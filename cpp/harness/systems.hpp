// The systems beside the scheduler, as the interpreter calls them: processors, contexts, registries and leases.
#pragma once

#include "harness/task_graph_spec.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace threadbare {

/// A branch that a task is in; destroying it ends it.
class BranchScope {
 public:
  BranchScope() = default;
  BranchScope(const BranchScope &) = delete;
  BranchScope &operator=(const BranchScope &) = delete;
  virtual ~BranchScope() = default;

  virtual std::int64_t get() = 0;
  virtual void put(std::int64_t value) = 0;
};

/// The branches that a task is in, which end from the innermost out.
class Branches {
 public:
  Branches() = default;
  Branches(Branches &&) = delete;
  ~Branches() {
    while (!scopes_.empty()) end();
  }

  /// Where memory runs out, the branch has ended again.
  void begin(std::unique_ptr<BranchScope> scope) { scopes_.push_back(std::move(scope)); }
  /// There is one; task graphs see to that.
  BranchScope &innermost() noexcept { return *scopes_.back(); }
  void end() noexcept { scopes_.pop_back(); }

 private:
  std::vector<std::unique_ptr<BranchScope>> scopes_;
};

/// Where a call stands in its task graph.
struct CallSite {
  std::uint32_t task;
  std::uint32_t operation;
};

/// The systems of one execution, made and destroyed on its main thread, outside of the scheduler's life.
class Systems {
 public:
  Systems() = default;
  Systems(const Systems &) = delete;
  Systems &operator=(const Systems &) = delete;
  virtual ~Systems() = default;

  /// Makes a call (from `OperationCode::Resume` on), on any thread, and gives what it gave; see
  /// src/task_graph/call.rs. Records what happens inside it. `held` belongs to the calling task. Throws std::bad_alloc
  /// where memory runs out, and then the call had no effect.
  virtual std::int64_t perform(CallSite site, const OperationSpec &operation, Branches &held) = 0;

  /// Lets every lease recover from a process that crashed, as the next operation on it does, and gives the holder of
  /// each, or -1. Called on fresh systems.
  virtual std::vector<std::int64_t> recover() = 0;

  /// Contexts that are alive.
  virtual std::size_t live_contexts() const noexcept = 0;
};

/// Makes the systems of an execution.
using SystemsFactory = std::unique_ptr<Systems>(const ObjectsSpec &);

/// Those of the target. One of its sources defines it; where a runtime has no systems of its own,
/// cpp/adapters/bundled/systems.cpp does.
SystemsFactory make_systems;

}  // namespace threadbare
