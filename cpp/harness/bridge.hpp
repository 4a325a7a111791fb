// What src/subject.rs calls: subjects by name, programs, scenarios, and the probes of the controller's tests.
#pragma once

#include "harness/program_spec.hpp"
#include "harness/subject.hpp"
#include "rust/cxx.h"

#include <cstdint>
#include <memory>

namespace threadbare::bridge {

struct FaultInfo;
struct ObjectCounts;
struct ScenarioInfo;

/// Throws std::invalid_argument, naming what is unknown.
std::unique_ptr<Subject> open_subject(rust::Str name, rust::Str fault);

void execute_program(Subject &subject, rust::Slice<const TaskSpec> tasks, rust::Slice<const OperationSpec> operations,
                     rust::Slice<const std::uint32_t> children, const ObjectCounts &objects, std::uint32_t threads);

/// Lets the leases of a program recover from a crash in the middle of it; the holder of each, or -1.
rust::Vec<std::int64_t> recover_leases(Subject &subject, const ObjectCounts &objects);

rust::Vec<rust::String> list_subjects();
rust::Vec<FaultInfo> list_faults();

/// Lets the C++ library initialise what it does on first use, once for all.
void warm_up();

/// Runs a probe (probes.cpp); -1 if there is none of that name.
std::int64_t run_probe(rust::Str name);

rust::Vec<ScenarioInfo> list_scenarios();

/// Runs a scenario (scenarios/scenario.hpp); -1 if there is none of that name with that fault.
std::int64_t run_scenario(rust::Str name, rust::Str fault);

}  // namespace threadbare::bridge
