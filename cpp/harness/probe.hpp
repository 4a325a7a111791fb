// What targets offer that are made of tests: C++ functions by name, which the controller executes in place of task graphs.
#pragma once

#include <cstdint>
#include <string_view>

/// Runs the function of that name, of which some are there once for each seeded bug; -1 if there is none.
extern "C" std::int64_t threadbare_run_probe(std::string_view name, std::string_view bug);

/// Takes one of them down: its name, the bug that it has or nothing, and about how many scheduling points an execution
/// takes.
using ThreadbareProbeTaker = void(void *list, std::string_view name, std::string_view bug, std::uint32_t points);

/// Tells of each.
extern "C" void threadbare_list_probes(ThreadbareProbeTaker *take, void *list);
