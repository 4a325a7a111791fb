#include "harness/bridge.hpp"

#include "harness/probes.hpp"
#include "harness/scenarios/scenario.hpp"
#include "threadbare/src/subject.rs.h"

#include <condition_variable>
#include <locale>
#include <mutex>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <thread>

namespace threadbare::bridge {

namespace {

template <class T>
std::span<const T> view(const rust::Vec<T> &items) {
  return {items.data(), items.size()};
}

template <class T>
std::span<const T> view(rust::Slice<const T> items) {
  return {items.data(), items.size()};
}

ObjectsSpec view(const ObjectCounts &objects) {
  return {.mutexes = objects.mutexes,
          .semaphores = view(objects.semaphores),
          .events = view(objects.events),
          .latches = view(objects.latches),
          .barriers = view(objects.barriers),
          .channels = view(objects.channels),
          .processors = view(objects.processors),
          .engines = objects.engines,
          .registries = objects.registries,
          .leases = objects.leases};
}

}  // namespace

std::unique_ptr<Subject> open_subject(rust::Str name, rust::Str fault) {
  return make_subject({name.data(), name.size()}, {fault.data(), fault.size()});
}

void execute_program(Subject &subject, rust::Slice<const TaskSpec> tasks, rust::Slice<const OperationSpec> operations,
                     rust::Slice<const std::uint32_t> children, const ObjectCounts &objects, std::uint32_t threads) {
  const ProgramSpec program{
      .tasks = view(tasks),
      .operations = view(operations),
      .children = view(children),
      .objects = view(objects),
  };
  try {
    subject.execute(program, threads);
  } catch (const std::bad_alloc &) {
    // The program did not begin: its events tell, and what the subject had made is gone.
  }
}

rust::Vec<std::int64_t> recover_leases(Subject &subject, const ObjectCounts &objects) {
  rust::Vec<std::int64_t> holders;
  for (const std::int64_t holder : subject.recover(view(objects))) holders.push_back(holder);
  return holders;
}

rust::Vec<rust::String> list_subjects() {
  rust::Vec<rust::String> names;
  for (const auto &name : subjects()) names.push_back(rust::String(std::string(name)));
  return names;
}

rust::Vec<FaultInfo> list_faults() {
  rust::Vec<FaultInfo> list;
  for (const auto &fault : faults())
    list.push_back({rust::String(std::string(fault.name)), rust::String(std::string(fault.summary))});
  return list;
}

void warm_up() {
  const std::locale classic;
  // What runs at the end of threads gets its key.
  std::mutex mutex;
  std::condition_variable ended;
  std::thread([&] { std::notify_all_at_thread_exit(ended, std::unique_lock(mutex)); }).join();
}

std::int64_t run_probe(rust::Str name) { return probe({name.data(), name.size()}); }

rust::Vec<ScenarioInfo> list_scenarios() {
  rust::Vec<ScenarioInfo> list;
  for (const auto &[name, fault, points, run] : scenarios())
    list.push_back({rust::String(std::string(name)), rust::String(std::string(fault)), points});
  return list;
}

std::int64_t run_scenario(rust::Str name, rust::Str fault) {
  return threadbare::run_scenario(std::string_view(name.data(), name.size()), {fault.data(), fault.size()});
}

}  // namespace threadbare::bridge
