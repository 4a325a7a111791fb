// A runtime under test, made of an adapter.
#pragma once

#include "harness/interpreter.hpp"
#include "harness/runtime_interface.hpp"
#include "harness/systems.hpp"

#include <cstdint>
#include <vector>

namespace threadbare {

/// Whether each fiber has its own thread_local variables: src/target/flags.rs compiles so with clang alone.
#ifdef __clang__
inline constexpr bool has_emulated_tls = true;
#else
inline constexpr bool has_emulated_tls = false;
#endif

/// Executes task graphs by way of an adapter (adapter.hpp), with the systems of the target.
template <class Adapter>
class AdaptedRuntime final : public Runtime {
 public:
  void execute(const TaskGraphSpec &graph, unsigned threads) override {
    // Only what is missing is an error then, and nothing that follows from it.
    if constexpr (has_core<Adapter>()) Interpreter<Adapter>(graph).execute(threads);
  }

  std::vector<std::int64_t> recover(const ObjectsSpec &objects) override { return make_systems(objects)->recover(); }
};

}  // namespace threadbare

/// Makes the file that says it a target: a runtime with this adapter. Say it once, outside of any namespace.
#define THREADBARE_RUNTIME(...)                                                                              \
  extern "C" threadbare::Runtime *threadbare_make_runtime() { return new threadbare::AdaptedRuntime<__VA_ARGS__>(); } \
  extern "C" bool threadbare_fits_fibers() { return threadbare::has_emulated_tls; }                          \
  extern "C" constexpr threadbare::Offers threadbare_offers = threadbare::offers_of<__VA_ARGS__>();
