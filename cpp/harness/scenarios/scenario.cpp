#include "harness/scenarios/scenario.hpp"

#include <array>

namespace threadbare {

namespace {

constexpr std::array systems{transfer_scenarios, ownership_scenarios, context_scenarios, registry_scenarios,
                             lease_scenarios};

}  // namespace

std::vector<Scenario> scenarios() {
  std::vector<Scenario> all;
  for (const auto system : systems) all.insert(all.end(), system().begin(), system().end());
  return all;
}

std::int64_t run_scenario(std::string_view name, std::string_view fault) {
  for (const auto system : systems) {
    for (const Scenario &scenario : system()) {
      if (scenario.name == name && scenario.fault == fault) return scenario.run();
    }
  }
  return -1;
}

}  // namespace threadbare
