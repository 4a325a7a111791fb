// The subjects and faults by name.
#include "harness/subject.hpp"

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace threadbare {

using Factory = std::unique_ptr<Subject>();

// Each in a file of its own, so that they compile at the same time.
Factory make_bundled_correct, make_bundled_transfer_moved_task, make_bundled_spsc_multi_consumer,
    make_bundled_transfer_frame_leak, make_bundled_lost_notify, make_bundled_continuation_early_resume,
    make_bundled_final_suspend_destroy, make_bundled_relaxed_publish;

namespace {

struct Fault {
  FaultInfo info;
  Factory *make;
};

constexpr std::array bundled_faults{
    Fault{{"transfer-moved-task", "the transfer awaiter reads the result through the task it moved from"},
          make_bundled_transfer_moved_task},
    Fault{{"spsc-multi-consumer", "the queues are single-producer single-consumer rings with several of each"},
          make_bundled_spsc_multi_consumer},
    Fault{{"transfer-frame-leak", "the transfer awaiter takes the handle out of the task and nobody destroys the frame"},
          make_bundled_transfer_frame_leak},
    Fault{{"lost-notify", "a thread checks its queue, then sleeps, without the lock that producers notify under"},
          make_bundled_lost_notify},
    Fault{{"continuation-early-resume", "the parent is queued before the child has fully suspended"},
          make_bundled_continuation_early_resume},
    Fault{{"final-suspend-destroy", "the frame is destroyed by the woken parent while its final suspend still runs"},
          make_bundled_final_suspend_destroy},
    Fault{{"relaxed-publish", "the result of a task is published with a relaxed store"},
          make_bundled_relaxed_publish},
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
  if (fault.empty()) return make_bundled_correct();
  for (const Fault &known : bundled_faults) {
    if (known.info.name == fault) return known.make();
  }
  std::string names;
  for (const Fault &known : bundled_faults) names.append(names.empty() ? "" : ", ").append(known.info.name);
  throw std::invalid_argument("unknown fault \"" + std::string(fault) + "\" of subject \"bundled\"; there are " + names);
}

}  // namespace threadbare
