// What a lock file says, as JSON.
#pragma once

#include <charconv>
#include <chrono>
#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace threadbare::runtime {

/// Times are by the system's clock, since its epoch.
struct LeaseRecord {
  std::uint32_t agent = 0;
  std::chrono::microseconds acquired{0};
  std::chrono::microseconds refreshed{0};

  /// No record's text is longer.
  static constexpr std::size_t longest_text = 100;

  [[nodiscard]] static std::chrono::microseconds now() noexcept {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(since_epoch);
  }

  [[nodiscard]] std::string text() const {
    char buffer[longest_text + 1];
    const int size = std::snprintf(buffer, sizeof buffer,
                                   R"({"agent":%)" PRIu32 R"(,"acquired":%)" PRId64 R"(,"refreshed":%)" PRId64 "}",
                                   agent, std::int64_t{acquired.count()}, std::int64_t{refreshed.count()});
    return std::string(buffer, static_cast<std::size_t>(size));
  }

  /// Nothing where `whole` is not exactly what `text` makes of some record.
  [[nodiscard]] static std::optional<LeaseRecord> parse(std::string_view whole) {
    std::string_view rest = whole;
    const auto number_after = [&rest](std::string_view key, auto &number) {
      if (!rest.starts_with(key)) return false;
      const char *begin = rest.data() + key.size();
      const auto [end, error] = std::from_chars(begin, rest.data() + rest.size(), number);
      rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
      return error == std::errc{};
    };
    LeaseRecord record;
    std::int64_t acquired = 0;
    std::int64_t refreshed = 0;
    const bool numbers = number_after(R"({"agent":)", record.agent) && number_after(R"(,"acquired":)", acquired) &&
                         number_after(R"(,"refreshed":)", refreshed);
    if (!numbers) return std::nullopt;
    record.acquired = std::chrono::microseconds(acquired);
    record.refreshed = std::chrono::microseconds(refreshed);
    // Rules out what is left: leading zeros, a missing end, and anything after it.
    if (record.text() != whole) return std::nullopt;
    return record;
  }
};

}  // namespace threadbare::runtime
