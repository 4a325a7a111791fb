// The shared objects of one execution.
#pragma once

#include "harness/task_graph_spec.hpp"

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
  explicit FixedArray(std::size_t size) : FixedArray(Room{size}) {
    for (; size_ < size; ++size_) ::new (static_cast<void *>(storage_[size_].bytes)) T();
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

template <class Adapter>
struct Objects {
  explicit Objects(const ObjectsSpec &spec)
      : mutexes(spec.mutexes),
        semaphores(spec.semaphores.size(), [&](std::size_t i) { return spec.semaphores[i]; }),
        events(spec.events.size(), [&](std::size_t i) { return spec.events[i] != 0; }),
        latches(spec.latches.size(), [&](std::size_t i) { return spec.latches[i]; }),
        barriers(spec.barriers.size(), [&](std::size_t i) { return spec.barriers[i]; }),
        channels(spec.channels.size(), [&](std::size_t i) { return spec.channels[i]; }) {}

  FixedArray<typename Adapter::Mutex> mutexes;
  FixedArray<typename Adapter::Semaphore> semaphores;
  FixedArray<typename Adapter::Event> events;
  FixedArray<typename Adapter::Latch> latches;
  FixedArray<typename Adapter::Barrier> barriers;
  FixedArray<typename Adapter::Channel> channels;
};

}  // namespace threadbare
