// What can be put under test, and what a coroutine runtime must offer to be plugged in.
#pragma once

#include "harness/program_spec.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace threadbare {

/// A runtime under test. To plug one in, write an adapter (below), derive a subject from it, and list it in
/// cpp/subjects/bundled.cpp:
///
///     class MySubject final : public Subject {
///      public:
///       void execute(const ProgramSpec &program, unsigned threads) override {
///         Interpreter<MyAdapter>(program).execute(threads);
///       }
///     };
///
/// An adapter is a struct with these members; cpp/subjects/bundled.hpp is one to copy. `T` is
/// `std::int64_t`, `std::unique_ptr<std::int64_t>` or `void`. Where it says "awaitable", coroutines of
/// `Task` can `co_await` it.
///
/// | member | meaning |
/// | --- | --- |
/// | `template <Affinity A, class T> Task` | lazy coroutine; `co_await std::move(task)` runs it to its end, and gives its value or throws what it threw |
/// | `Scheduler(threads)` | makes the threads; the destructor stops them and destroys every pending frame |
/// | `run(scheduler, task)` | runs a main task to its end on the calling thread; gives or throws its outcome |
/// | `start(scheduler, task)` | queues a task, called on any thread; gives a `JoinHandle<T>` |
/// | `template <class T> JoinHandle` | movable; `co_await std::move(handle)` joins; `detach()`, `request_stop()`; destroying it detaches |
/// | `when_all(vector<AnyTask> &)` | awaitable: runs all to their end; then `task.result()` of each gives or throws |
/// | `when_any(vector<AnyTask> &)` | awaitable: the position of the first to end, after the others were stopped and ended |
/// | `hop(Affinity)`, `yield()`, `sleep_for(microseconds)` | awaitables |
/// | `stop_requested()` | awaitable: whether the task was asked to stop |
/// | `Mutex` | `lock()`: awaitable, gives a movable guard; `Guard` names its type |
/// | `Semaphore(permits)` | `acquire()`: awaitable; `release()` |
/// | `Event(bool auto_reset)` | `wait()`: awaitable; `set()`, `reset()` |
/// | `Latch(count)` | `wait()`: awaitable; `arrive()` |
/// | `Barrier(participants)` | `arrive()` gives a `Ticket`; `wait(ticket)`: awaitable |
/// | `Channel(capacity)` | of `std::int64_t`; `send(value)`: awaitable bool; `receive()`: awaitable optional; `close()` |
///
/// `AnyTask` is a `std::variant` of the six kinds of task.
class Subject {
 public:
  Subject() = default;
  Subject(const Subject &) = delete;
  Subject &operator=(const Subject &) = delete;
  virtual ~Subject() = default;

  /// Runs a program on so many threads, the calling one included, until its root has ended and everything
  /// is shut down. Records events on the way. Throws std::invalid_argument or std::system_error if the
  /// threads cannot be made; never what tasks throw.
  virtual void execute(const ProgramSpec &program, unsigned threads) = 0;
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
