// What an adapter offers, as the compiler sees it, and what it says of it.
#pragma once

#include "harness/task_graph_spec.hpp"

#include <concepts>
#include <chrono>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace threadbare {

/// When a task that was started may be given up. `AtStart`: only right where it is started; it is joined otherwise.
enum class Detach : std::uint8_t { AtStart, AnyTime };
/// What becomes of the others once the first of a `when_any` has ended, before that returns. `RunOn`: nothing.
enum class Losers : std::uint8_t { RunOn, Awaited, StoppedAndAwaited };
/// What the failure of a child is to a `when_any`. `Unspecified`: children do not fail.
enum class AnyFailure : std::uint8_t { Unspecified, Wins };
/// What the scheduler's destructor does with tasks that have not ended. `Unspecified`: there are none, since `drain`
/// comes before it; `Destroys`: destroys their frames.
enum class Shutdown : std::uint8_t { Unspecified, Destroys };
/// What a call does where memory runs out. `Unspecified`: memory does not run out; `Throws`: it throws std::bad_alloc
/// and has had no effect.
enum class OutOfMemory : std::uint8_t { Unspecified, Throws };

/// What no compiler can see of a runtime. An adapter says it in a member `semantics`; each thing that it leaves out is the
/// weakest, so that saying more has more explored, and never makes a false alarm of what was not said.
struct Semantics {
  /// Threads that run tasks, beyond as many as the scheduler is asked for, the thread that calls `run` included.
  std::uint8_t extra_threads = 0;
  Detach detach = Detach::AtStart;
  Losers losers = Losers::RunOn;
  AnyFailure any_failure = AnyFailure::Unspecified;
  Shutdown shutdown = Shutdown::Unspecified;
  OutOfMemory out_of_memory = OutOfMemory::Unspecified;
};

/// The place of an absent object, guard, ticket or handle.
struct Absent {
  template <class... Any>
  explicit Absent(const Any &...) noexcept {}
};

namespace offered {

template <class A>
concept MainAffinity = requires { typename A::template Task<Affinity::Main, void>; };
template <class A>
concept PlainTask = requires { typename A::template Task<void>; };
template <class A>
concept Tasks = MainAffinity<A> || PlainTask<A>;

/// The type of a task; without main affinities, that of both kinds.
template <class A, Affinity Where, class T>
struct TaskOf {
  using type = typename A::template Task<T>;
};
template <MainAffinity A, Affinity Where, class T>
struct TaskOf<A, Where, T> {
  using type = typename A::template Task<Where, T>;
};
template <class A, Affinity Where, class T>
using Task = typename TaskOf<A, Where, T>::type;

template <class A>
concept Scheduler = requires { requires std::constructible_from<typename A::Scheduler, unsigned>; };
template <class A>
concept Run = requires(typename A::Scheduler &scheduler, Task<A, Affinity::Main, std::int64_t> &&task) {
  A::run(scheduler, std::move(task));
};
template <class A>
concept Spawn = requires(typename A::Scheduler &scheduler, Task<A, Affinity::Worker, std::int64_t> &&task) {
  A::spawn(scheduler, std::move(task));
};
template <class A>
concept Result = requires(Task<A, Affinity::Worker, std::int64_t> &&task) { A::result(std::move(task)); };
template <class A>
concept Drain = requires(typename A::Scheduler &scheduler) { A::drain(scheduler); };

template <class A>
concept Start = requires(typename A::Scheduler &scheduler, Task<A, Affinity::Worker, std::int64_t> &&task,
                         typename A::template JoinHandle<std::int64_t> handle) {
  {
    A::start(scheduler, std::move(task))
  } -> std::same_as<typename A::template JoinHandle<std::int64_t>>;
  handle.detach();
};
template <class A>
concept RequestStop =
    Start<A> && requires(typename A::template JoinHandle<std::int64_t> handle) { handle.request_stop(); };
template <class A>
concept StopRequested = requires { A::stop_requested(); };

/// A vector of these is what `when_all` and `when_any` are given. Kinds of tasks may be of one type, so they are known by
/// their index.
template <class A>
using AnyTask =
    std::variant<Task<A, Affinity::Main, std::int64_t>, Task<A, Affinity::Worker, std::int64_t>,
                 Task<A, Affinity::Main, std::unique_ptr<std::int64_t>>,
                 Task<A, Affinity::Worker, std::unique_ptr<std::int64_t>>, Task<A, Affinity::Main, void>,
                 Task<A, Affinity::Worker, void>>;

template <class A>
concept Ended = requires(Task<A, Affinity::Worker, std::int64_t> &task) { A::ended(task); };

/// Calls a member with the scheduler before its arguments, or without it where the member does not take it.
#define THREADBARE_CALL(name)                                                                                      \
  template <class A, class... Arguments>                                                                           \
  concept takes_scheduler_##name = requires(typename A::Scheduler &scheduler, Arguments &...arguments) {           \
    A::name(scheduler, arguments...);                                                                              \
  };                                                                                                               \
  template <class A, class... Arguments>                                                                           \
  auto call_##name(typename A::Scheduler &scheduler, Arguments &&...arguments)                                     \
    requires takes_scheduler_##name<A, Arguments...> || requires { A::name(arguments...); }                        \
  {                                                                                                                \
    if constexpr (takes_scheduler_##name<A, Arguments...>) {                                                       \
      return A::name(scheduler, arguments...);                                                                     \
    } else {                                                                                                       \
      return A::name(arguments...);                                                                                \
    }                                                                                                              \
  }
THREADBARE_CALL(when_all)
THREADBARE_CALL(when_any)
THREADBARE_CALL(yield)
THREADBARE_CALL(sleep_for)
#undef THREADBARE_CALL

template <class A>
concept WhenAll = Ended<A> && requires(typename A::Scheduler &scheduler, std::vector<AnyTask<A>> &tasks) {
  call_when_all<A>(scheduler, tasks);
};
template <class A>
concept WhenAny = Ended<A> && requires(typename A::Scheduler &scheduler, std::vector<AnyTask<A>> &tasks) {
  call_when_any<A>(scheduler, tasks);
};
template <class A>
concept Hop = MainAffinity<A> && requires { A::hop(Affinity::Worker); };
template <class A>
concept Yield = requires(typename A::Scheduler &scheduler) { call_yield<A>(scheduler); };
template <class A>
concept Sleep = requires(typename A::Scheduler &scheduler) {
  call_sleep_for<A>(scheduler, std::chrono::microseconds(1));
};
template <class A>
concept Mutex = requires(typename A::Mutex &mutex, typename A::Mutex::Guard guard) {
  mutex.lock();
  guard.unlock();
};
template <class A>
concept Semaphore = requires(typename A::Semaphore &semaphore) {
  semaphore.acquire();
  semaphore.release();
};
template <class A>
concept Event = requires(typename A::Event &event) {
  event.wait();
  event.set();
  event.reset();
};
template <class A>
concept Latch = requires(typename A::Latch &latch) {
  latch.wait();
  latch.arrive();
};
template <class A>
concept Barrier = requires(typename A::Barrier &barrier, typename A::Barrier::Ticket ticket) {
  { barrier.arrive() } -> std::same_as<typename A::Barrier::Ticket>;
  barrier.wait(ticket);
};
template <class A>
concept Channel = requires(typename A::Channel &channel) {
  channel.send(std::int64_t{1});
  channel.receive();
  channel.close();
};

/// The type of a member, or `Absent`.
#define THREADBARE_MEMBER(Name, ...)              \
  template <class A>                              \
  struct Name##Of {                               \
    using type = Absent;                          \
  };                                              \
  template <class A>                              \
    requires Name<A>                              \
  struct Name##Of<A> {                            \
    using type = typename A::__VA_ARGS__;         \
  }
THREADBARE_MEMBER(Mutex, Mutex);
THREADBARE_MEMBER(Semaphore, Semaphore);
THREADBARE_MEMBER(Event, Event);
THREADBARE_MEMBER(Latch, Latch);
THREADBARE_MEMBER(Barrier, Barrier);
THREADBARE_MEMBER(Channel, Channel);
#undef THREADBARE_MEMBER

/// Whether objects of this type are made from `Arguments`, with the scheduler before them or without it.
template <class T, class Scheduler, class... Arguments>
concept MadeFrom =
    std::constructible_from<T, Scheduler &, Arguments...> || std::constructible_from<T, Arguments...>;
template <class A>
concept AutoReset = Event<A> && MadeFrom<typename A::Event, typename A::Scheduler, bool>;

/// What has no value gave all that it had to give; anything else is awaited.
template <class T>
concept Suspending = !std::is_void_v<T>;

template <class A>
constexpr Semantics semantics() {
  if constexpr (requires { A::semantics; }) {
    return A::semantics;
  } else {
    return {};
  }
}

}  // namespace offered

/// What the tool reads from the compiled target, by the layout in src/model/offers.rs.
struct Offers {
  std::uint32_t version;
  /// Bits by the numbers of `Capability` there.
  std::uint32_t members;
  /// Operations that give back and may suspend, by the numbers of `GivesBack` there.
  std::uint8_t suspending;
  Semantics semantics;
  std::uint8_t reserved;
};
static_assert(sizeof(Offers) == 16);

/// What this adapter offers.
template <class A>
consteval Offers offers_of() {
  std::uint32_t members = 0;
  const bool all[] = {offered::MainAffinity<A>, offered::Start<A>,     offered::RequestStop<A>, offered::StopRequested<A>,
                      offered::WhenAll<A>,      offered::WhenAny<A>,   offered::Hop<A>,         offered::Yield<A>,
                      offered::Sleep<A>,        offered::Mutex<A>,     offered::Semaphore<A>,   offered::Event<A>,
                      offered::AutoReset<A>,    offered::Latch<A>,     offered::Barrier<A>,     offered::Channel<A>};
  for (unsigned bit = 0; bit < sizeof all; ++bit) members |= std::uint32_t{all[bit]} << bit;
  unsigned suspending = 0;
  if constexpr (offered::Mutex<A>) {
    suspending |= unsigned{offered::Suspending<decltype(std::declval<typename A::Mutex::Guard &>().unlock())>} << 0;
  }
  if constexpr (offered::Semaphore<A>) {
    suspending |= unsigned{offered::Suspending<decltype(std::declval<typename A::Semaphore &>().release())>} << 1;
  }
  if constexpr (offered::Event<A>) {
    suspending |= unsigned{offered::Suspending<decltype(std::declval<typename A::Event &>().set())>} << 2;
  }
  if constexpr (offered::Latch<A>) {
    suspending |= unsigned{offered::Suspending<decltype(std::declval<typename A::Latch &>().arrive())>} << 3;
  }
  if constexpr (offered::Channel<A>) {
    suspending |= unsigned{offered::Suspending<decltype(std::declval<typename A::Channel &>().close())>} << 4;
  }
  return {1, members, static_cast<std::uint8_t>(suspending), offered::semantics<A>(), 0};
}

/// Whether the core is there, with one error for each member that is not.
template <class A>
constexpr bool has_core() {
  static_assert(offered::Tasks<A>,
                "threadbare: the adapter has no `Task`; add `template <class T> using Task = ...`, the runtime's lazy "
                "coroutine type, or threadbare::LazyTask<T> of harness/lazy_task.hpp");
  static_assert(offered::Scheduler<A>,
                "threadbare: the adapter has no `Scheduler` that is made from a number of threads; add `using Scheduler = "
                "...` with a constructor `Scheduler(unsigned threads)`");
  if constexpr (offered::Tasks<A> && offered::Scheduler<A>) {
    static_assert(offered::Run<A>,
                  "threadbare: the adapter has no `run`; add `template <class T> static T run(Scheduler &, Task<T>)`, which "
                  "runs a task to its end and gives or throws its outcome");
    static_assert(offered::Spawn<A>,
                  "threadbare: the adapter has no `spawn`; add `template <class T> static void spawn(Scheduler &, Task<T>)`, "
                  "which begins a task that nobody waits for, from any thread");
    static_assert(offered::Result<A>,
                  "threadbare: the adapter has no `result`; add `template <class T> static auto result(Task<T> &&)`, which "
                  "gives what a task awaits to run another one to its end and to have its value");
    static_assert(offered::Drain<A>,
                  "threadbare: the adapter has no `drain`; add `static void drain(Scheduler &)`, which waits until every task "
                  "has ended; where the scheduler's destructor destroys what has not, it may be empty");
    return offered::Run<A> && offered::Spawn<A> && offered::Result<A> && offered::Drain<A>;
  } else {
    return false;
  }
}

}  // namespace threadbare
