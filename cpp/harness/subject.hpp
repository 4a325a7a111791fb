// What can be put under test.
#pragma once

#include "harness/program_spec.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace threadbare {

/// A runtime under test. To plug one in, write an adapter (adapter.hpp), derive a subject from this class, and
/// list it in cpp/subjects/bundled.cpp:
///
///     class MySubject final : public Subject {
///      public:
///       void execute(const ProgramSpec &program, unsigned threads) override {
///         Interpreter<MyAdapter>(program).execute(threads);
///       }
///     };
class Subject {
 public:
  Subject() = default;
  Subject(const Subject &) = delete;
  Subject &operator=(const Subject &) = delete;
  virtual ~Subject() = default;

  /// Runs a program on so many threads, the calling one included, until its root has ended and everything
  /// is shut down. Records events on the way. Throws std::invalid_argument or std::system_error if the
  /// threads cannot be made, and std::bad_alloc where memory runs out before the root's body began; never what
  /// tasks throw.
  virtual void execute(const ProgramSpec &program, unsigned threads) = 0;

  /// After a crash in the middle of a program: lets its leases recover and gives the holder of each, or -1.
  virtual std::vector<std::int64_t> recover(const ObjectsSpec &) { return {}; }
};

/// A known bug that can be switched on in the bundled runtime.
struct FaultInfo {
  std::string_view name;
  /// One line.
  std::string_view summary;
};

/// The names of the subjects.
const std::vector<std::string_view> &subjects();

/// The faults of the subject "bundled".
const std::vector<FaultInfo> &faults();

/// Makes the subject of that name, with that fault or, if it is empty, without any. Throws
/// std::invalid_argument, naming what is unknown.
std::unique_ptr<Subject> make_subject(std::string_view name, std::string_view fault);

}  // namespace threadbare
