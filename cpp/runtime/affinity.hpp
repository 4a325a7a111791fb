// Where a coroutine may run.
#pragma once

#include <cstdint>

namespace threadbare::runtime {

/// `Main`: only on the thread that runs the scheduler. `Worker`: on any of its threads, since the main
/// thread helps the workers while it has nothing else to do.
enum class Affinity : std::uint8_t { Main, Worker };

}  // namespace threadbare::runtime
