// The subjects and faults by name.
#include "harness/subject.hpp"
#include "harness/systems.hpp"

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace threadbare {

using Factory = std::unique_ptr<Subject>(SystemsFactory &);

// Each in a file of its own, so that they compile at the same time.
Factory make_bundled_correct, make_bundled_transfer_moved_task, make_bundled_spsc_multi_consumer,
    make_bundled_transfer_frame_leak, make_bundled_lost_notify, make_bundled_continuation_early_resume,
    make_bundled_final_suspend_destroy, make_bundled_relaxed_publish;
SystemsFactory make_owner_check_then_set, make_owner_nested_exit, make_owner_check_ignored_flag,
    make_owner_leak_on_throw, make_context_captured_main, make_context_thread_id_key, make_context_pool_reuse,
    make_context_unlocked_check, make_registry_check_then_act, make_registry_check_only,
    make_registry_callback_under_lock, make_registry_live_iteration, make_registry_status_unlocked,
    make_lease_unlink_rewrite, make_lease_shared_temp, make_lease_stale_unlink, make_lease_temp_orphan,
    make_lease_release_foreign;

namespace {

/// Of the scheduler or of one of the systems: whichever it is not of is right.
struct Fault {
  FaultInfo info;
  Factory &make = make_bundled_correct;
  SystemsFactory &systems = make_correct_systems;

  constexpr Fault(FaultInfo its_info, Factory &of_scheduler) noexcept : info(its_info), make(of_scheduler) {}
  constexpr Fault(FaultInfo its_info, SystemsFactory &of_system) noexcept : info(its_info), systems(of_system) {}
};

constexpr std::array bundled_faults{
    Fault{{"transfer-moved-task", "the transfer awaiter reads the result through the task it moved from"},
          make_bundled_transfer_moved_task},
    Fault{{"spsc-multi-consumer", "the queues are single-producer single-consumer rings with several of each"},
          make_bundled_spsc_multi_consumer},
    Fault{{"transfer-frame-leak", "the transfer awaiter takes the handle out of the task and nobody destroys the frame"},
          make_bundled_transfer_frame_leak},
    Fault{{"lost-notify", "a thread checks its queue, then announces that it sleeps, and does not check again"},
          make_bundled_lost_notify},
    Fault{{"continuation-early-resume", "the parent is queued before the child has fully suspended"},
          make_bundled_continuation_early_resume},
    Fault{{"final-suspend-destroy", "the frame is destroyed by the woken parent while its final suspend still runs"},
          make_bundled_final_suspend_destroy},
    Fault{{"relaxed-publish", "the result of a task is published with a relaxed store"},
          make_bundled_relaxed_publish},
    Fault{{"owner-check-then-set", "the owner of a processor is read, compared, then stored"},
          make_owner_check_then_set},
    Fault{{"owner-nested-exit", "an inner exit releases the processor although the outer call is still inside"},
          make_owner_nested_exit},
    Fault{{"owner-check-ignored-flag", "threads are refused even where access checks are switched off"},
          make_owner_check_ignored_flag},
    Fault{{"owner-leak-on-throw", "a body that throws leaves the owner of the processor set"},
          make_owner_leak_on_throw},
    Fault{{"context-captured-main", "whichever thread made the engine counts as the main thread"},
          make_context_captured_main},
    Fault{{"context-thread-id-key", "contexts live in a map keyed by thread id, and stay there"},
          make_context_thread_id_key},
    Fault{{"context-pool-reuse", "a thread_local context outlives its branch on a pool thread"},
          make_context_pool_reuse},
    Fault{{"context-unlocked-check", "the map of threads is looked up outside of the lock it is filled under"},
          make_context_unlocked_check},
    Fault{{"registry-check-then-act", "a start looks the pair up and stores the arc without a lock"},
          make_registry_check_then_act},
    Fault{{"registry-check-only", "a start checks once more before it stores the arc, still without a lock"},
          make_registry_check_only},
    Fault{{"registry-callback-under-lock", "callbacks run with the lock of the registry held"},
          make_registry_callback_under_lock},
    Fault{{"registry-live-iteration", "process_all walks the live table"}, make_registry_live_iteration},
    Fault{{"registry-status-unlocked", "a status is read without the lock"}, make_registry_status_unlocked},
    Fault{{"lease-unlink-rewrite", "a refresh unlinks the lock file, then writes it anew"}, make_lease_unlink_rewrite},
    Fault{{"lease-shared-temp", "all refreshes use the same temporary file"}, make_lease_shared_temp},
    Fault{{"lease-stale-unlink", "the slower of two cleanups unlinks a lock that is not stale any more"},
          make_lease_stale_unlink},
    Fault{{"lease-temp-orphan", "a rename that fails leaves the temporary file"}, make_lease_temp_orphan},
    Fault{{"lease-release-foreign", "a release removes the lock without checking whose it is"},
          make_lease_release_foreign},
};

}  // namespace

const std::vector<std::string_view> &subjects() {
  static const std::vector<std::string_view> names{"bundled"};
  return names;
}

const std::vector<FaultInfo> &faults() {
  static const std::vector<FaultInfo> list = [] {
    std::vector<FaultInfo> infos;
    for (const Fault &fault : bundled_faults) infos.push_back(fault.info);
    return infos;
  }();
  return list;
}

std::unique_ptr<Subject> make_subject(std::string_view name, std::string_view fault) {
  if (name != "bundled") {
    throw std::invalid_argument("unknown subject \"" + std::string(name) + "\"; there is \"bundled\"");
  }
  if (fault.empty()) return make_bundled_correct(make_correct_systems);
  for (const Fault &known : bundled_faults) {
    if (known.info.name == fault) return known.make(known.systems);
  }
  std::string names;
  for (const Fault &known : bundled_faults) names.append(names.empty() ? "" : ", ").append(known.info.name);
  throw std::invalid_argument("unknown fault \"" + std::string(fault) + "\" of subject \"bundled\"; there are " + names);
}

}  // namespace threadbare
