// The shared objects of one execution.
#pragma once

#include "harness/offers.hpp"
#include "harness/task_graph_spec.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace threadbare {

/// A fixed number of objects that cannot be moved.
template <class T>
class FixedArray {
 public:
  /// `argument(i)` is what the i-th one is made from.
  template <class Argument>
  FixedArray(std::size_t size, Argument argument) : FixedArray(Room{size}) {
    for (; size_ < size; ++size_) ::new (static_cast<void *>(storage_[size_].bytes)) T(argument(size_));
  }
  FixedArray(const FixedArray &) = delete;
  FixedArray &operator=(const FixedArray &) = delete;
  ~FixedArray() {
    while (size_ > 0) (*this)[--size_].~T();
  }

  T &operator[](std::size_t index) noexcept {
    return *std::launder(reinterpret_cast<T *>(storage_[index].bytes));
  }

 private:
  struct Slot {
    alignas(T) unsigned char bytes[sizeof(T)];
  };

  struct Room {
    std::size_t size;
  };

  /// Delegated to, so that the destructor destroys what there is where making an object throws.
  explicit FixedArray(Room room) : storage_(room.size ? new Slot[room.size] : nullptr) {}

  std::unique_ptr<Slot[]> storage_;
  std::size_t size_ = 0;
};

/// Made before the scheduler, or after it, as it is given or not. What a kind of object is made from follows it.
template <class Adapter>
struct Objects {
  using Mutex = typename offered::MutexOf<Adapter>::type;
  using Semaphore = typename offered::SemaphoreOf<Adapter>::type;
  using Event = typename offered::EventOf<Adapter>::type;
  using Latch = typename offered::LatchOf<Adapter>::type;
  using Barrier = typename offered::BarrierOf<Adapter>::type;
  using Channel = typename offered::ChannelOf<Adapter>::type;

  /// Without a scheduler, which is then made after them.
  explicit Objects(const ObjectsSpec &spec) : Objects(spec, nullptr) {}
  Objects(const ObjectsSpec &spec, typename Adapter::Scheduler *scheduler)
      : mutexes(spec.mutexes, [=](std::size_t) { return make<Mutex>(scheduler); }),
        semaphores(spec.semaphores.size(), [&](std::size_t i) { return make<Semaphore>(scheduler, spec.semaphores[i]); }),
        events(spec.events.size(), [&](std::size_t i) { return make_event(scheduler, spec.events[i] != 0); }),
        latches(spec.latches.size(), [&](std::size_t i) { return make<Latch>(scheduler, spec.latches[i]); }),
        barriers(spec.barriers.size(), [&](std::size_t i) { return make<Barrier>(scheduler, spec.barriers[i]); }),
        channels(spec.channels.size(), [&](std::size_t i) { return make<Channel>(scheduler, spec.channels[i]); }) {}

  FixedArray<Mutex> mutexes;
  FixedArray<Semaphore> semaphores;
  FixedArray<Event> events;
  FixedArray<Latch> latches;
  FixedArray<Barrier> barriers;
  FixedArray<Channel> channels;

 private:
  template <class T, class... Arguments>
  static T make(typename Adapter::Scheduler *scheduler, Arguments... arguments) {
    if constexpr (std::constructible_from<T, Arguments...>) {
      return T(arguments...);
    } else {
      static_assert(std::constructible_from<T, typename Adapter::Scheduler &, Arguments...>,
                    "threadbare: a Mutex is made from nothing, a Semaphore from its permits, an Event from whether it resets "
                    "itself (or nothing, if it never does), a Latch from its count, a Barrier from its participants, a Channel "
                    "from its capacity; each may have the scheduler before that");
      return T(*scheduler, arguments...);
    }
  }

  static Event make_event(typename Adapter::Scheduler *scheduler, bool auto_reset) {
    if constexpr (!offered::Event<Adapter> || offered::AutoReset<Adapter>) {
      return make<Event>(scheduler, auto_reset);
    } else {
      return make<Event>(scheduler);
    }
  }
};

}  // namespace threadbare
