// What src/runtime.rs calls: targets that are loaded, and the runtimes and probes in them.
#pragma once

#include "harness/probe.hpp"
#include "harness/task_graph_spec.hpp"
#include "harness/runtime_interface.hpp"
#include "rust/cxx.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace threadbare::bridge {

struct ObjectCounts;
struct ScenarioInfo;

/// A target in this process. It is never unloaded.
class Library {
 public:
  /// The shared object at `path`, or what is linked into the executable if that is empty. Throws std::runtime_error.
  explicit Library(const std::string &path);

  /// What it defines by that name. Throws std::runtime_error if it does not.
  [[nodiscard]] void *symbol(const char *name) const;

  /// The address that it was loaded to; 0 if it is neither a runtime nor has probes.
  [[nodiscard]] std::size_t origin() const noexcept;

  /// Null if it has none.
  decltype(&threadbare_run_probe) run_probe = nullptr;

 private:
  void *handle_;
};

std::unique_ptr<Library> load_library(rust::Str path);

std::unique_ptr<Runtime> open_runtime(const Library &library);
bool fits_fibers(const Library &library);

void execute_task_graph(Runtime &runtime, rust::Slice<const TaskSpec> tasks, rust::Slice<const OperationSpec> operations,
                     rust::Slice<const std::uint32_t> children, const ObjectCounts &objects, std::uint32_t threads);

/// Lets the leases of a task graph recover from a crash in the middle of it; the holder of each, or -1.
rust::Vec<std::int64_t> recover_leases(Runtime &runtime, const ObjectCounts &objects);

/// Lets the C++ library initialise what it does on first use, once for all.
void warm_up();

/// Runs a probe; -1 if there is none of that name with that bug.
std::int64_t run_probe(const Library &library, rust::Str name, rust::Str bug);

rust::Vec<ScenarioInfo> list_scenarios(const Library &library);

}  // namespace threadbare::bridge
