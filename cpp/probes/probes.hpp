// Small C++ programs that use the primitives which the controller emulates, for its tests.
#pragma once

#include <time.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace threadbare {

/// Runs the probe of that name and returns its result; -1 if there is none, and where a probe failed.
std::int64_t probe(std::string_view name);

/// The same for those of one file each: file_probes.cpp and so on. Those of files may also have allocations that fail.
std::int64_t file_probe(std::string_view name);
std::int64_t library_probe(std::string_view name);
std::int64_t lock_probe(std::string_view name);
std::int64_t thread_probe(std::string_view name);

/// The probes of a file, by name.
template <std::size_t count>
using ProbeList = std::array<std::pair<std::string_view, std::int64_t (*)()>, count>;

template <std::size_t count>
std::int64_t run_probe(const ProbeList<count> &probes, std::string_view name) {
  for (const auto &[known, run] : probes)
    if (known == name) return run();
  return -1;
}

/// A point of time so far from now.
inline timespec after(std::chrono::seconds time, clockid_t clock = CLOCK_REALTIME) {
  timespec now{};
  clock_gettime(clock, &now);
  now.tv_sec += time.count();
  return now;
}

}  // namespace threadbare
