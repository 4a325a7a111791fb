// What a task holds between its operations.
#pragma once

#include "harness/offers.hpp"
#include "harness/systems.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace threadbare {

/// The handles, guards and tickets of an adapter, or `Absent`.
template <class Adapter>
struct HandlesOf {
  template <class T>
  using type = Absent;
};
template <offered::Start Adapter>
struct HandlesOf<Adapter> {
  template <class T>
  using type = typename Adapter::template JoinHandle<T>;
};
template <class Adapter>
struct GuardOf {
  using type = Absent;
};
template <offered::Mutex Adapter>
struct GuardOf<Adapter> {
  using type = typename Adapter::Mutex::Guard;
};
template <class Adapter>
struct TicketOf {
  using type = Absent;
};
template <offered::Barrier Adapter>
struct TicketOf<Adapter> {
  using type = typename Adapter::Barrier::Ticket;
};

/// Lives in the task's coroutine, so a task that fails or is destroyed releases what it holds.
template <class Adapter>
struct Holdings {
  using Unique = std::unique_ptr<std::int64_t>;
  template <class T>
  using JoinHandle = typename HandlesOf<Adapter>::template type<T>;
  /// By the result of the task, since handles may be of one type.
  using AnyHandle = std::variant<JoinHandle<std::int64_t>, JoinHandle<Unique>, JoinHandle<void>>;
  using Guard = typename GuardOf<Adapter>::type;
  using Ticket = typename TicketOf<Adapter>::type;

  /// The key is a task, mutex or barrier.
  template <class T>
  using List = std::vector<std::pair<std::uint32_t, T>>;

  List<Ticket> tickets;
  List<AnyHandle> handles;
  List<Guard> guards;
  /// Last, so that they end first. A task is never suspended in one, so they end on the thread they began on.
  Branches branches;

  /// Makes room for one more, before anything is done that is to be kept: keeping it then needs no memory.
  template <class T>
  static void make_room(List<T> &list) {
    if (list.size() == list.capacity()) list.reserve(2 * list.size() + 2);
  }

  static bool has(const List<AnyHandle> &list, std::uint32_t key) noexcept {
    return std::any_of(list.begin(), list.end(), [&](const auto &entry) { return entry.first == key; });
  }

  /// What is held under that key; task graphs only name what is there.
  template <class T>
  static T &find(List<T> &list, std::uint32_t key) noexcept {
    return std::find_if(list.begin(), list.end(), [&](const auto &entry) { return entry.first == key; })->second;
  }

  /// Removes and returns what is held under that key.
  template <class T>
  static T take(List<T> &list, std::uint32_t key) noexcept {
    const auto entry = std::find_if(list.begin(), list.end(), [&](const auto &each) { return each.first == key; });
    T taken = std::move(entry->second);
    if (entry + 1 != list.end()) *entry = std::move(list.back());
    list.pop_back();
    return taken;
  }

  /// Keeps the ticket of a barrier in place of an older one. There is room.
  void keep_ticket(std::uint32_t barrier, Ticket ticket) noexcept {
    for (auto &[key, kept] : tickets) {
      if (key == barrier) {
        kept = ticket;
        return;
      }
    }
    tickets.emplace_back(barrier, ticket);
  }
};

}  // namespace threadbare
