#include "harness/bridge.hpp"

#include "threadbare/src/runtime.rs.h"

#include <dlfcn.h>

#include <condition_variable>
#include <locale>
#include <mutex>
#include <new>
#include <span>
#include <stdexcept>
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

Library::Library(const std::string &path) : handle_(dlopen(path.empty() ? nullptr : path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) throw std::runtime_error(dlerror());
  run_probe = reinterpret_cast<decltype(run_probe)>(dlsym(handle_, "threadbare_run_probe"));
}

void *Library::symbol(const char *name) const {
  void *found = dlsym(handle_, name);
  if (found == nullptr) throw std::runtime_error(std::string("it does not define ") + name);
  return found;
}

std::size_t Library::origin() const noexcept {
  const void *known = dlsym(handle_, "threadbare_make_runtime");
  if (known == nullptr) known = reinterpret_cast<const void *>(run_probe);
  Dl_info place{};
  return known != nullptr && dladdr(known, &place) != 0 ? reinterpret_cast<std::size_t>(place.dli_fbase) : 0;
}

std::unique_ptr<Library> load_library(rust::Str path) { return std::make_unique<Library>(std::string(path)); }

std::unique_ptr<Runtime> open_runtime(const Library &library) {
  const auto make = reinterpret_cast<decltype(&threadbare_make_runtime)>(library.symbol("threadbare_make_runtime"));
  return std::unique_ptr<Runtime>(make());
}

bool fits_fibers(const Library &library) {
  return reinterpret_cast<decltype(&threadbare_fits_fibers)>(library.symbol("threadbare_fits_fibers"))();
}

void execute_task_graph(Runtime &runtime, rust::Slice<const TaskSpec> tasks, rust::Slice<const OperationSpec> operations,
                     rust::Slice<const std::uint32_t> children, const ObjectCounts &objects, std::uint32_t threads) {
  const TaskGraphSpec graph{
      .tasks = view(tasks),
      .operations = view(operations),
      .children = view(children),
      .objects = view(objects),
  };
  try {
    runtime.execute(graph, threads);
  } catch (const std::bad_alloc &) {
    // The task graph did not begin: its events tell, and what the runtime had made is gone.
  }
}

rust::Vec<std::int64_t> recover_leases(Runtime &runtime, const ObjectCounts &objects) {
  rust::Vec<std::int64_t> holders;
  for (const std::int64_t holder : runtime.recover(view(objects))) holders.push_back(holder);
  return holders;
}

void warm_up() {
  // The first exception of a process makes libgcc initialise itself.
  try {
    throw std::runtime_error("");
  } catch (const std::runtime_error &) {
  }
  const std::locale classic;
  // What runs at the end of threads gets its key.
  std::mutex mutex;
  std::condition_variable ended;
  std::thread([&] { std::notify_all_at_thread_exit(ended, std::unique_lock(mutex)); }).join();
}

std::int64_t run_probe(const Library &library, rust::Str name, rust::Str bug) {
  if (library.run_probe == nullptr) return -1;
  return library.run_probe({name.data(), name.size()}, {bug.data(), bug.size()});
}

rust::Vec<ScenarioInfo> list_scenarios(const Library &library) {
  const auto list = reinterpret_cast<decltype(&threadbare_list_probes)>(library.symbol("threadbare_list_probes"));
  rust::Vec<ScenarioInfo> scenarios;
  const auto take = [](void *all, std::string_view name, std::string_view bug, std::uint32_t points) {
    static_cast<rust::Vec<ScenarioInfo> *>(all)->push_back(
        {rust::String(std::string(name)), rust::String(std::string(bug)), points});
  };
  list(take, &scenarios);
  return scenarios;
}

}  // namespace threadbare::bridge
