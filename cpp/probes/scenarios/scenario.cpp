#include "probes/scenarios/scenario.hpp"

#include "harness/probe.hpp"

#include <array>

namespace threadbare {

namespace {

constexpr std::array systems{transfer_scenarios, ownership_scenarios, context_scenarios, registry_scenarios,
                             lease_scenarios};

}  // namespace

}  // namespace threadbare

extern "C" void threadbare_list_probes(ThreadbareProbeTaker *take, void *list) {
  for (const auto system : threadbare::systems) {
    for (const threadbare::Scenario &scenario : system()) take(list, scenario.name, scenario.bug, scenario.points);
  }
}

extern "C" std::int64_t threadbare_run_probe(std::string_view name, std::string_view bug) {
  for (const auto system : threadbare::systems) {
    for (const threadbare::Scenario &scenario : system()) {
      if (scenario.name == name && scenario.bug == bug) return scenario.run();
    }
  }
  return -1;
}
