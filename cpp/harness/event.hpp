// What an interpreter records; the numbers are those of `EventKind` in src/model/execution.rs.
#pragma once

#include <cstdint>

/// Takes down one event. Defined by whoever links a runtime.
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

/// Passed by value as a parameter of a coroutine, which moves it into its frame once that is there: so what it moved
/// into lives exactly as long as the frame, even one whose body never runs, and a frame that there was no memory for
/// was never made.
class FrameToken {
 public:
  /// For a coroutine that is only part of a task's.
  FrameToken() = default;

  explicit FrameToken(std::uint32_t task) noexcept : task_(task), stage_(Stage::Parameter) {}
  FrameToken(FrameToken &&other) noexcept : task_(other.task_), stage_(other.stage_) {
    other.stage_ = Stage::Idle;
    if (stage_ != Stage::Parameter) return;
    stage_ = Stage::InFrame;
    record(task_, 0, EventKind::FrameMade, 0);
  }
  FrameToken &operator=(FrameToken &&) = delete;
  ~FrameToken() {
    if (stage_ == Stage::InFrame) record(task_, 0, EventKind::FrameFreed, 0);
  }

 private:
  enum class Stage : std::uint8_t { Idle, Parameter, InFrame };

  std::uint32_t task_ = 0;
  Stage stage_ = Stage::Idle;
};

}  // namespace threadbare
