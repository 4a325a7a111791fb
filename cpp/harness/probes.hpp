// Small C++ programs that use the primitives which the controller emulates, for its tests.
#pragma once

#include <cstdint>
#include <string_view>

namespace threadbare {

/// Runs the probe of that name and returns its result; -1 if there is none.
std::int64_t probe(std::string_view name);

/// The same for those that use files, or whose allocations may fail (file_probes.cpp).
std::int64_t file_probe(std::string_view name);

/// The same for the primitives that are not in probes.cpp (primitive_probes.cpp); -1 also where a probe failed.
std::int64_t primitive_probe(std::string_view name);

}  // namespace threadbare
