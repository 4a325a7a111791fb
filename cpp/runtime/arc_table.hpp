// Arcs between agents, and a table of them.
#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace threadbare::runtime {

/// The key of an arc: from agent `a` to agent `b`, which is another key than from `b` to `a`.
struct Pair {
  std::uint32_t a = 0;
  std::uint32_t b = 0;

  friend auto operator<=>(const Pair &, const Pair &) = default;
};

enum class ArcState : std::uint8_t { Active, Completed, Cancelled };
enum class ArcEvent : std::uint8_t { Started, Progressed, Completed, Cancelled };

/// What happens between two agents, from its start to its end.
struct Arc {
  using Clock = std::chrono::steady_clock;

  struct Entry {
    ArcEvent event;
    Clock::time_point at;
  };

  explicit Arc(Clock::time_point start) noexcept : started(start) {}

  void record(ArcEvent event, Clock::time_point at) { events.push_back({event, at}); }

  ArcState state = ArcState::Active;
  /// How often it progressed.
  std::uint32_t phase = 0;
  Clock::time_point started;
  /// All that happened to it, in order; the first is its start.
  std::vector<Entry> events;
};

/// At most one arc per pair, in the order of the pairs. Not synchronised. What throws changes nothing.
class ArcTable {
 public:
  using Row = std::pair<Pair, Arc>;

  /// The arc of the pair, or null.
  [[nodiscard]] const Arc *find(Pair pair) const noexcept {
    const std::size_t row = position(pair);
    return has(row, pair) ? &rows_[row].second : nullptr;
  }

  /// Takes the place of the arc that the pair had, if any.
  void put(Pair pair, Arc arc) {
    const std::size_t row = position(pair);
    if (has(row, pair)) {
      rows_[row].second = std::move(arc);
    } else {
      // Rows are moved without throwing: where memory runs out, nothing has changed.
      rows_.emplace(at(row), pair, std::move(arc));
    }
  }

  /// Takes out the arc of the pair, which is there.
  void erase(Pair pair) noexcept { rows_.erase(at(position(pair))); }

  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  [[nodiscard]] auto begin() const noexcept { return rows_.begin(); }
  [[nodiscard]] auto end() const noexcept { return rows_.end(); }

 private:
  using Rows = std::vector<Row>;
  static_assert(std::is_nothrow_move_constructible_v<Row> && std::is_nothrow_move_assignable_v<Row>);

  /// The row where the pair is, or would be.
  [[nodiscard]] std::size_t position(Pair pair) const noexcept {
    const auto row = std::lower_bound(rows_.begin(), rows_.end(), pair,
                                      [](const Row &left, Pair right) { return left.first < right; });
    return static_cast<std::size_t>(row - rows_.begin());
  }

  [[nodiscard]] bool has(std::size_t row, Pair pair) const noexcept {
    return row < rows_.size() && rows_[row].first == pair;
  }

  [[nodiscard]] Rows::const_iterator at(std::size_t row) const noexcept {
    return rows_.begin() + static_cast<Rows::difference_type>(row);
  }

  Rows rows_;
};

}  // namespace threadbare::runtime
