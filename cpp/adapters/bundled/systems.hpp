// The systems of the bundled runtime under a policy, for the interpreter.
#pragma once

#include "harness/directory.hpp"
#include "harness/event.hpp"
#include "harness/mix.hpp"
#include "harness/objects.hpp"
#include "harness/systems.hpp"
#include "runtime/systems.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace threadbare {

/// What a call on files gives when an operation on files failed.
inline constexpr std::int64_t file_error = -2;

/// What runs inside a processor; the numbers are those of `Body` in src/task_graph/call.rs.
enum class ResumeBody : std::uint8_t { Plain, Nested, Throwing, HandingOver };

/// `Policy` is `runtime::CorrectSystems` or derives from it.
template <class Policy>
class BundledSystems final : public Systems {
  using Processor = typename Policy::Processor;
  using Engine = typename Policy::Engine;
  using Branch = decltype(runtime::Branch(std::declval<Engine &>()));
  using Registry = typename Policy::Registry;
  using Lease = typename Policy::Lease;

 public:
  explicit BundledSystems(const ObjectsSpec &spec)
      : processors_(spec.processors.size(), [&](std::size_t i) { return checks_of(spec.processors[i]); }),
        engines_(spec.engines, [this](std::size_t) -> runtime::ContextCache & { return contexts_; }),
        registries_(spec.registries, [this](std::size_t i) { return callback_of(i); }),
        leases_(spec.leases, [](std::size_t i) { return path_of(i); }),
        lease_count_(spec.leases) {}

  std::int64_t perform(CallSite site, const OperationSpec &operation, Branches &held) override {
    const std::uint32_t object = operation.object;
    switch (operation.code) {
      case OperationCode::Resume:
        return resume(site, processors_[object], static_cast<ResumeBody>(operation.value));
      case OperationCode::BeginBranch: held.begin(std::make_unique<Scope>(engines_[object])); return 0;
      case OperationCode::NestBranch: held.begin(std::make_unique<Scope>(contexts_)); return 0;
      case OperationCode::EndBranch: held.end(); return 0;
      case OperationCode::GetContext: return held.innermost().get();
      case OperationCode::PutContext: held.innermost().put(operation.value); return 0;
      case OperationCode::StartArc:
      case OperationCode::ProgressArc:
      case OperationCode::CompleteArc:
      case OperationCode::CancelArc:
      case OperationCode::ArcStatus:
      case OperationCode::ActiveArcs:
      case OperationCode::ProcessArcs: current_ = site; return call_registry(registries_[object], operation);
      default: break;
    }
    try {
      return call_lease(leases_[object], operation);
    } catch (const std::system_error &) {
      return file_error;
    }
  }

  std::vector<std::int64_t> recover() override {
    std::vector<std::int64_t> holders;
    for (std::uint32_t lease = 0; lease < lease_count_; ++lease) {
      // Changes nothing, as no lease is that old.
      static_cast<void>(leases_[lease].cleanup_stale(std::chrono::microseconds::max()));
      holders.push_back(holder_of(leases_[lease]));
    }
    return holders;
  }

  std::size_t live_contexts() const noexcept override { return contexts_.live(); }

 private:
  /// What a throwing body throws.
  struct Thrown {};

  /// A branch, of a given engine or of one that is made with it.
  class Scope final : public BranchScope {
   public:
    explicit Scope(Engine &engine) : branch_(engine) {}
    explicit Scope(runtime::ContextCache &contexts) : branch_(engine_.emplace(contexts)) {}

    std::int64_t get() override { return branch_.context().get(); }
    void put(std::int64_t value) override { branch_.context().put(value); }

   private:
    std::optional<Engine> engine_;
    Branch branch_;
  };

  static runtime::AccessChecks checks_of(std::uint8_t unchecked) noexcept {
    return unchecked != 0 ? runtime::AccessChecks::Off : runtime::AccessChecks::On;
  }

  static std::string path_of(std::size_t lease) {
    const char *const directory = threadbare_directory();
    if (!directory) throw std::invalid_argument("a task graph with leases needs a directory for its files");
    return std::string(directory) + "/lease-" + std::to_string(lease) + ".json";
  }

  static constexpr runtime::Pair pair_of(std::int64_t halves) noexcept {
    const auto bits = static_cast<std::uint64_t>(halves);
    return {static_cast<std::uint32_t>(bits >> 32), static_cast<std::uint32_t>(bits)};
  }

  /// A pair in one number.
  static constexpr std::int64_t number_of(runtime::Pair pair) noexcept {
    return std::int64_t{pair.a} << 16 | std::int64_t{pair.b};
  }

  std::int64_t resume(CallSite site, Processor &processor, ResumeBody body) {
    try {
      processor.resume([&](Processor &inside) { visit(site, inside, body, 1); });
    } catch (const runtime::NotOwner &) {
      return 0;
    } catch (const Thrown &) {
      // The body was inside all the same.
    }
    return 1;
  }

  /// A thread is inside of a processor, however it leaves.
  class Visit {
   public:
    Visit(CallSite site, std::int64_t depth) noexcept : site_(site), depth_(depth) {
      record(site_.task, site_.operation, EventKind::Entered, depth_);
    }
    Visit(const Visit &) = delete;
    Visit &operator=(const Visit &) = delete;
    ~Visit() { record(site_.task, site_.operation, EventKind::Leaving, depth_); }

   private:
    const CallSite site_;
    const std::int64_t depth_;
  };

  /// What a processor does while it is resumed; `depth` counts the calls in one another.
  void visit(CallSite site, Processor &processor, ResumeBody body, std::int64_t depth) {
    const Visit outer(site, depth);
    pass();
    if (body == ResumeBody::Nested) {
      processor.resume([&](Processor &inside) { visit(site, inside, ResumeBody::Plain, depth + 1); });
      pass();
    }
    if (body == ResumeBody::HandingOver && enters_from_another_thread(processor)) {
      const Visit inner(site, depth + 1);
    }
    if (body == ResumeBody::Throwing) throw Thrown();
  }

  /// Whether a new thread, which the calling one waits for, may enter the processor.
  bool enters_from_another_thread(Processor &processor) {
    bool entered = false;
    std::exception_ptr failure;
    std::thread([&] {
      try {
        processor.resume([&](Processor &) {
          pass();
          entered = true;
        });
      } catch (const runtime::NotOwner &) {
        // Told by `entered`.
      } catch (const std::bad_alloc &) {
        failure = std::current_exception();
      }
    }).join();
    if (failure) std::rethrow_exception(std::move(failure));
    return entered;
  }

  /// A scheduling point, so that other threads can come between.
  void pass() noexcept {
    // Ordering: relaxed, or it would hide the races that it makes room for.
    passed_.fetch_add(1, std::memory_order_relaxed);
  }

  typename Registry::Callback callback_of(std::size_t registry) {
    return [this, registry](runtime::Pair pair, runtime::ArcEvent event, const runtime::Arc &) {
      record(current_.task, current_.operation, EventKind::Callback,
             number_of(pair) * 4 + static_cast<std::int64_t>(event));
      try {
        // As callbacks may, it calls in.
        static_cast<void>(registries_[registry].status(pair));
        static_cast<void>(registries_[registry].active());
      } catch (const std::bad_alloc &) {
        // It would pass through the call that is being announced, whose change stands.
      }
    };
  }

  static std::int64_t call_registry(Registry &registry, const OperationSpec &operation) {
    const runtime::Pair pair = pair_of(operation.value);
    switch (operation.code) {
      case OperationCode::StartArc:
        try {
          registry.start(pair);
        } catch (const runtime::ArcExists &) {
          return 0;
        }
        return 1;
      case OperationCode::ProgressArc: {
        const std::optional<std::uint32_t> phase = registry.progress(pair);
        return phase ? std::int64_t{*phase} : -1;
      }
      case OperationCode::CompleteArc: return registry.complete(pair) ? 1 : 0;
      case OperationCode::CancelArc: return registry.cancel(pair) ? 1 : 0;
      case OperationCode::ArcStatus: {
        const std::optional<runtime::Arc> arc = registry.status(pair);
        return arc ? std::int64_t{arc->phase} * 4 + static_cast<std::int64_t>(arc->state) : -1;
      }
      case OperationCode::ActiveArcs: return static_cast<std::int64_t>(registry.active());
      default: break;
    }
    std::int64_t visited = 0;
    registry.process_all([&](runtime::Pair key, const runtime::Arc &arc) {
      // As visitors may, it calls in.
      static_cast<void>(registry.status(key));
      visited = mix(mix(visited, number_of(key)), std::int64_t{arc.phase});
    });
    return visited;
  }

  static std::int64_t call_lease(Lease &lease, const OperationSpec &operation) {
    const auto agent = static_cast<typename Lease::Agent>(operation.value);
    switch (operation.code) {
      case OperationCode::AcquireLease: return lease.acquire(agent) ? 1 : 0;
      case OperationCode::RefreshLease: return lease.refresh(agent) ? 1 : 0;
      case OperationCode::ReleaseLease: return lease.release(agent) ? 1 : 0;
      case OperationCode::LeaseHolder: return holder_of(lease);
      default: return lease.cleanup_stale(std::chrono::microseconds(operation.value)) ? 1 : 0;
    }
  }

  static std::int64_t holder_of(Lease &lease) {
    const std::optional<typename Lease::Agent> holder = lease.holder();
    return holder ? std::int64_t{*holder} : -1;
  }

  /// The call on a registry that the thread is in: callbacks belong to it.
  static constinit inline thread_local CallSite current_{};

  /// The thread that makes the systems is the main thread.
  runtime::MainThread main_;
  runtime::ContextCache contexts_;
  FixedArray<Processor> processors_;
  FixedArray<Engine> engines_;
  FixedArray<Registry> registries_;
  FixedArray<Lease> leases_;
  const std::uint32_t lease_count_;
  std::atomic<std::uint64_t> passed_{0};
};

}  // namespace threadbare

/// Defines the systems of the target: those of the bundled runtime under this policy.
#define THREADBARE_SYSTEMS(...)                                                                              \
  std::unique_ptr<threadbare::Systems> threadbare::make_systems(const threadbare::ObjectsSpec &spec) {       \
    return std::make_unique<threadbare::BundledSystems<__VA_ARGS__>>(spec);                                  \
  }
