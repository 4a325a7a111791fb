// A registry of arcs between agents: at most one active arc per pair.
#pragma once

#include "runtime/arc_table.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace threadbare::runtime {

/// A pair was to start an arc, and has one that has not ended.
struct ArcExists : std::logic_error {
  explicit ArcExists(Pair its_pair)
      : std::logic_error("Active arc already exists between " + std::to_string(its_pair.a) + " and " +
                         std::to_string(its_pair.b)),
        pair(its_pair) {}

  Pair pair;
};

/// What of the registry can be replaced.
struct RegistryPolicy {
  using Lock = std::unique_lock<std::mutex>;

  /// Puts a new arc of the pair into the active ones, and gives a copy of it; throws ArcExists where there is one.
  /// `lock` is not held before, and is held after.
  static Arc start(Lock &lock, ArcTable &active, Pair pair) {
    lock.lock();
    if (active.find(pair)) throw ArcExists(pair);
    const auto now = Arc::Clock::now();
    Arc arc(now);
    arc.record(ArcEvent::Started, now);
    active.put(pair, arc);
    return arc;
  }

  /// Called under the lock, when the change has been made and before it is announced.
  static void before_callback(Lock &lock) noexcept { lock.unlock(); }

  /// The lock under which a status is read.
  static Lock status_lock(std::mutex &mutex) { return Lock(mutex); }

  /// What `process_all` walks through, without the lock.
  static ArcTable arcs_to_visit(std::mutex &mutex, const ArcTable &active) {
    const Lock lock(mutex);
    return active;
  }
};

/// Any thread may call any function at any time; callbacks and visitors may as well. A call that throws ArcExists, or
/// that runs out of memory, has changed and announced nothing.
template <class Policy>
class BasicRegistry {
 public:
  /// Told of each change once: after it was made, before the call that made it returns, and with no lock held.
  /// Threads may thus overtake each other between a change and its callback. What it throws passes through that
  /// call; the change stands.
  using Callback = std::function<void(Pair, ArcEvent, const Arc &)>;

  explicit BasicRegistry(Callback callback = {}) noexcept : callback_(std::move(callback)) {}
  BasicRegistry(const BasicRegistry &) = delete;
  BasicRegistry &operator=(const BasicRegistry &) = delete;

  /// Begins an arc; throws ArcExists where the pair has an active one, which is left as it is.
  void start(Pair pair) {
    Lock lock(mutex_, std::defer_lock);
    const Arc arc = Policy::start(lock, active_, pair);
    announce(lock, pair, ArcEvent::Started, arc);
  }

  /// Takes the pair's active arc to its next phase and gives that, or nothing if there is none.
  std::optional<std::uint32_t> progress(Pair pair) {
    Lock lock(mutex_);
    const Arc *const active = active_.find(pair);
    if (!active) return std::nullopt;
    Arc arc = *active;
    ++arc.phase;
    arc.record(ArcEvent::Progressed, Arc::Clock::now());
    active_.put(pair, arc);
    announce(lock, pair, ArcEvent::Progressed, arc);
    return arc.phase;
  }

  /// Ends the pair's active arc; gives whether there was one.
  bool complete(Pair pair) { return end(pair, ArcState::Completed, ArcEvent::Completed); }

  /// The same, for an arc that did not get where it was going.
  bool cancel(Pair pair) { return end(pair, ArcState::Cancelled, ArcEvent::Cancelled); }

  /// A copy of the pair's active arc, else of its last one, or nothing if it never had any.
  [[nodiscard]] std::optional<Arc> status(Pair pair) const {
    const Lock lock = Policy::status_lock(mutex_);
    if (const Arc *const arc = active_.find(pair)) return *arc;
    if (const Arc *const arc = ended_.find(pair)) return *arc;
    return std::nullopt;
  }

  /// How many arcs are active.
  [[nodiscard]] std::size_t active() const {
    const Lock lock(mutex_);
    return active_.size();
  }

  /// Calls `visitor(pair, arc)` for a copy of each arc that is active at the call, in the order of the pairs,
  /// whatever happens to them meanwhile.
  template <class Visitor>
  void process_all(Visitor visitor) const {
    for (const auto &[pair, arc] : Policy::arcs_to_visit(mutex_, active_)) visitor(pair, arc);
  }

 private:
  using Lock = RegistryPolicy::Lock;

  bool end(Pair pair, ArcState state, ArcEvent event) {
    Lock lock(mutex_);
    const Arc *const active = active_.find(pair);
    if (!active) return false;
    Arc arc = *active;
    arc.state = state;
    arc.record(event, Arc::Clock::now());
    ended_.put(pair, arc);
    active_.erase(pair);
    announce(lock, pair, event, arc);
    return true;
  }

  void announce(Lock &lock, Pair pair, ArcEvent event, const Arc &arc) {
    Policy::before_callback(lock);
    if (callback_) callback_(pair, event, arc);
  }

  const Callback callback_;
  mutable std::mutex mutex_;
  ArcTable active_;
  /// The last arc that ended, of each pair that had one.
  ArcTable ended_;
};

using Registry = BasicRegistry<RegistryPolicy>;

}  // namespace threadbare::runtime
