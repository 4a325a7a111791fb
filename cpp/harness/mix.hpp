// How results become one number.
#pragma once

#include <cstdint>

namespace threadbare {

/// Mixes a result into an accumulator, like `mix` in src/task_graph/model.rs.
constexpr std::int64_t mix(std::int64_t accumulator, std::int64_t value) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(accumulator) * 31U + static_cast<std::uint64_t>(value));
}

}  // namespace threadbare
