// What a coroutine runtime must offer to be plugged in.
#pragma once

#include "harness/offers.hpp"

namespace threadbare {

/// Between the interpreter and a runtime stands an adapter: a struct with the members below, of which
/// cpp/adapters/skeleton/adapter.cpp is one to copy. `T` is `std::int64_t`, `std::unique_ptr<std::int64_t>` or `void`.
/// *Awaitable* is what a coroutine of `Task` can `co_await`.
///
/// The core, which every adapter has:
///
/// - `template <class T> Task`: a lazy, movable coroutine. Destroying it destroys the frame.
/// - `Scheduler(threads)`: makes its threads. The thread that calls `run` counts as one.
/// - `run(scheduler, task)`: runs a task to its end, and gives or throws its outcome.
/// - `spawn(scheduler, task)`: begins a task that nobody waits for, from any thread. What it throws goes nowhere.
/// - `result(Task &&)`: awaitable; runs a task to its end and gives its value, or throws what it threw.
/// - `drain(scheduler)`: waits until every task has ended. Objects are destroyed after it, then the scheduler.
///
/// Whatever of the rest is there is found by the compiler, and task graphs do without what is not:
///
/// - `template <Affinity, class T> Task` in place of the above: tasks of `Affinity::Main` run on the thread that called
///   `run`, others on any. With it, `hop(Affinity)`: awaitable.
/// - `start(scheduler, task)` in place of `spawn`, for tasks that are waited for: queues it, from any thread, and gives a
///   `template <class T> JoinHandle`, which is movable; `result(JoinHandle &&)` joins; `detach()`; destroying it detaches.
///   With it, `request_stop()`.
/// - `stop_requested()`: awaitable; whether the awaiting task was asked to stop.
/// - `when_all(std::vector<AnyTask> &)`: awaitable; runs all to their end. `ended(task)` of each then gives its value or
///   throws. An `AnyTask` is a `std::variant` of the kinds of task.
/// - `when_any(std::vector<AnyTask> &)`: awaitable; gives the position of the first to end; then `ended(task)` of that one.
/// - `yield()`, `sleep_for(std::chrono::microseconds)`: awaitable.
/// - `Mutex`: `lock()` is awaitable and gives a movable `Guard` with `unlock()`.
/// - `Semaphore(permits)`: `acquire()` is awaitable; `release()`.
/// - `Event(bool auto_reset)`, or `Event()` if it never resets itself: `wait()` is awaitable; `set()`, `reset()`.
/// - `Latch(count)`: `wait()` is awaitable; `arrive()`.
/// - `Barrier(participants)`: `arrive()` gives a `Ticket`; `wait(ticket)` is awaitable.
/// - `Channel(capacity)` of `std::int64_t`: `send(value)` is awaitable and gives a bool, `receive()` an
///   optional; `close()`.
/// - `static constexpr Semantics semantics`: what no compiler can see; see offers.hpp.
///
/// Objects, `when_all`, `when_any`, `yield` and `sleep_for` may take the scheduler as their first argument. `unlock`, `release`, `set`, `arrive` of a latch and `close` give
/// nothing, or something awaitable if the task may be suspended in them.
template <class A>
concept RuntimeAdapter = offered::Tasks<A> && offered::Scheduler<A> && offered::Run<A> && offered::Spawn<A> &&
                         offered::Result<A> && offered::Drain<A>;

}  // namespace threadbare
