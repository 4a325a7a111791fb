// The scenarios of the five systems as C++ programs, each with a correct component or with one that has a seeded bug.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace threadbare {

struct Scenario {
  /// Begins with the name of its system and a dash.
  std::string_view name;
  /// What the component has; empty for the correct one.
  std::string_view bug;
  /// About how many scheduling points an execution takes, for strategies that plan ahead.
  std::uint32_t points;
  /// Gives 0 where everything was as expected, else the line, in the file of the system, of what first was not.
  std::int64_t (*run)();
};

/// One function per file.
std::span<const Scenario> transfer_scenarios() noexcept;
std::span<const Scenario> ownership_scenarios() noexcept;
std::span<const Scenario> context_scenarios() noexcept;
std::span<const Scenario> registry_scenarios() noexcept;
std::span<const Scenario> lease_scenarios() noexcept;

}  // namespace threadbare
