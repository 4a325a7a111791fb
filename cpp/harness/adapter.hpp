// What a coroutine runtime must offer to be plugged in.
#pragma once

#include "harness/task_graph_spec.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <utility>

namespace threadbare {

/// Between the interpreter and a runtime stands an adapter: a struct with the members below, of which
/// cpp/adapters/bundled/scheduler.hpp is one to copy. `T` is `std::int64_t`, `std::unique_ptr<std::int64_t>` or
/// `void`; an `AnyTask` is a `std::variant` of the six kinds of task. Coroutines of `Task` can `co_await`
/// what is called awaitable.
///
/// - `template <Affinity, class T> Task`: a lazy, movable coroutine. Awaiting `std::move(task)` runs it to
///   its end and gives its value or throws what it threw; destroying it destroys the frame.
/// - `Scheduler(threads)`: makes its threads. Its destructor stops them and destroys every pending frame.
/// - `run(scheduler, task)`: runs a main task to its end on the calling thread, and gives or throws its
///   outcome.
/// - `start(scheduler, task)`: queues a task, from any thread, and gives its `JoinHandle<T>`.
/// - `template <class T> JoinHandle`: movable; awaiting `std::move(handle)` joins; `detach()`,
///   `request_stop()`; destroying it detaches.
/// - `when_all(std::vector<AnyTask> &)`: awaitable; runs all to their end. `task.result()` of each then gives
///   its value or throws.
/// - `when_any(std::vector<AnyTask> &)`: awaitable; gives the position of the first to end, after the others
///   were asked to stop and have ended.
/// - `hop(Affinity)`, `yield()`, `sleep_for(std::chrono::microseconds)`: awaitable.
/// - `stop_requested()`: awaitable; whether the awaiting task was asked to stop.
/// - `Mutex`: `lock()` is awaitable and gives a movable `Guard` with `unlock()`.
/// - `Semaphore(permits)`: `acquire()` is awaitable; `release()`.
/// - `Event(bool auto_reset)`: `wait()` is awaitable; `set()`, `reset()`.
/// - `Latch(count)`: `wait()` is awaitable; `arrive()`.
/// - `Barrier(participants)`: `arrive()` gives a `Ticket`; `wait(ticket)` is awaitable.
/// - `Channel(capacity)` of `std::int64_t`: `send(value)` is awaitable and gives a bool, `receive()` an
///   optional; `close()`.
///
/// Where memory runs out, a call or awaitable throws std::bad_alloc and has had no effect: a task that was to be begun
/// never begins and is destroyed, and nothing was waited for. What gives back never fails so: `unlock`, `release`,
/// and the `arrive` of a latch.
///
/// The concept asks for what can be asked without a coroutine.
template <class A>
concept RuntimeAdapter = requires(typename A::Scheduler &scheduler, typename A::Mutex &mutex,
                                  typename A::Semaphore &semaphore, typename A::Event &event,
                                  typename A::Latch &latch, typename A::Barrier &barrier,
                                  typename A::Channel &channel,
                                  typename A::template Task<Affinity::Main, void> main_task,
                                  typename A::template Task<Affinity::Worker, std::unique_ptr<std::int64_t>> task,
                                  typename A::template JoinHandle<std::int64_t> handle,
                                  typename A::Mutex::Guard guard) {
  requires std::constructible_from<typename A::Scheduler, unsigned>;
  requires std::constructible_from<typename A::Semaphore, std::uint32_t>;
  requires std::constructible_from<typename A::Event, bool>;
  requires std::constructible_from<typename A::Latch, std::uint32_t>;
  requires std::constructible_from<typename A::Barrier, std::uint32_t>;
  requires std::constructible_from<typename A::Channel, std::uint32_t>;
  requires std::movable<typename A::template JoinHandle<void>>;
  requires std::movable<typename A::Mutex::Guard>;
  A::run(scheduler, std::move(main_task));
  {
    A::start(scheduler, std::move(task))
  } -> std::same_as<typename A::template JoinHandle<std::unique_ptr<std::int64_t>>>;
  handle.detach();
  handle.request_stop();
  A::hop(Affinity::Worker);
  A::yield();
  A::sleep_for(std::chrono::microseconds(1));
  A::stop_requested();
  mutex.lock();
  guard.unlock();
  semaphore.acquire();
  semaphore.release();
  event.wait();
  event.set();
  event.reset();
  latch.wait();
  latch.arrive();
  { barrier.arrive() } -> std::same_as<typename A::Barrier::Ticket>;
  barrier.wait(barrier.arrive());
  channel.send(std::int64_t{1});
  channel.receive();
  channel.close();
};

}  // namespace threadbare
