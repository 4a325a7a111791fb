// What executes task graphs.
#pragma once

#include "harness/task_graph_spec.hpp"

#include <cstdint>
#include <vector>

namespace threadbare {

/// A runtime under test; harness/runtime.hpp makes one of an adapter.
class Runtime {
 public:
  Runtime() = default;
  Runtime(const Runtime &) = delete;
  Runtime &operator=(const Runtime &) = delete;
  virtual ~Runtime() = default;

  /// Runs a task graph on so many threads, the calling one included, until its root has ended and everything
  /// is shut down. Records events on the way. Throws std::invalid_argument or std::system_error if the
  /// threads cannot be made, and std::bad_alloc where memory runs out before the root's body began; never what
  /// tasks throw.
  virtual void execute(const TaskGraphSpec &graph, unsigned threads) = 0;

  /// After a crash in the middle of a task graph: lets its leases recover and gives the holder of each, or -1.
  virtual std::vector<std::int64_t> recover(const ObjectsSpec &) { return {}; }
};

}  // namespace threadbare

/// Makes the runtime of the target that is loaded. Each runtime defines it, with THREADBARE_RUNTIME; the caller deletes
/// what it makes.
extern "C" threadbare::Runtime *threadbare_make_runtime();

/// Whether its threads can be fibers of one OS thread. Defined with it.
extern "C" bool threadbare_fits_fibers();

/// What it offers. Defined with it, and read from the file before it is loaded.
namespace threadbare {
struct Offers;
}
extern "C" const threadbare::Offers threadbare_offers;
