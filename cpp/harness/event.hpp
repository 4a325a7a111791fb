// What an interpreter records; the numbers are those of `EventKind` in src/execution.rs.
#pragma once

#include <cstdint>

/// Takes down one event. Defined by whoever links a subject.
extern "C" void threadbare_record(std::uint32_t task, std::uint16_t operation, std::uint8_t kind,
                                  std::int64_t value) noexcept;

namespace threadbare {

enum class EventKind : std::uint8_t {
  FrameMade,
  FrameFreed,
  TaskBegin,
  TaskEnd,
  TaskFail,
  OperationBegin,
  OperationEnd,
  OperationFail,
  Entered,
  Leaving,
  Callback,
  ContextsLeft,
};

inline void record(std::uint32_t task, std::uint32_t operation, EventKind kind, std::int64_t value) noexcept {
  threadbare_record(task, static_cast<std::uint16_t>(operation), static_cast<std::uint8_t>(kind), value);
}

/// Passed by value as a parameter of a coroutine, so it lives exactly as long as the frame, even one whose
/// body never runs.
class FrameToken {
 public:
  /// For a coroutine that is only part of a task's.
  FrameToken() = default;

  explicit FrameToken(std::uint32_t task) noexcept : task_(task), armed_(true) {
    record(task_, 0, EventKind::FrameMade, 0);
  }
  FrameToken(FrameToken &&other) noexcept : task_(other.task_), armed_(other.armed_) { other.armed_ = false; }
  FrameToken &operator=(FrameToken &&) = delete;
  ~FrameToken() {
    if (armed_) record(task_, 0, EventKind::FrameFreed, 0);
  }

 private:
  std::uint32_t task_ = 0;
  bool armed_ = false;
};

}  // namespace threadbare
