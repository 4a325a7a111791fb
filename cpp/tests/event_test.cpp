#include "check.hpp"
#include "limits.hpp"
#include "runtime/runtime.hpp"

#include <atomic>
#include <optional>
#include <utility>
#include <vector>

using namespace threadbare::runtime;

namespace {

template <Affinity A>
Task<A> waits(Event &event, std::atomic<int> &passed) {
  co_await event.wait();
  ++passed;
}

Task<Affinity::Main, bool> manual_lets_all_through() {
  Event event(EventReset::Manual);
  std::atomic<int> passed{0};
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < 4; ++i) {
    handles.push_back(co_await start(waits<Affinity::Main>(event, passed)));
    handles.push_back(co_await start(waits<Affinity::Worker>(event, passed)));
  }
  for (int i = 0; i < 5; ++i) co_await yield();
  const bool none_before = passed == 0;
  event.set();
  for (JoinHandle<void> &handle : handles) co_await std::move(handle);
  // It is still set.
  co_await event.wait();
  event.reset();
  JoinHandle<void> late = co_await start(waits<Affinity::Worker>(event, passed));
  for (int i = 0; i < 5; ++i) co_await yield();
  const bool late_waits = passed == 8;
  event.set();
  co_await std::move(late);
  co_return none_before && late_waits && passed == 9;
}

Task<Affinity::Main, bool> auto_lets_one_through() {
  Event event(EventReset::Auto);
  std::atomic<int> passed{0};
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < 3; ++i) handles.push_back(co_await start(waits<Affinity::Main>(event, passed)));
  co_await yield();
  for (int expected = 0; expected < 3; ++expected) {
    if (passed != expected) co_return false;
    event.set();
    while (passed == expected) co_await yield();
  }
  for (JoinHandle<void> &handle : handles) co_await std::move(handle);
  // Setting twice is as good as once.
  event.set();
  event.set();
  co_await event.wait();
  JoinHandle<void> late = co_await start(waits<Affinity::Main>(event, passed));
  for (int i = 0; i < 3; ++i) co_await yield();
  const bool late_waits = passed == 3;
  event.set();
  co_await std::move(late);
  co_return late_waits;
}

Task<Affinity::Worker> ping(Event &mine, Event &other, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    co_await mine.wait();
    other.set();
  }
}

template <Affinity A>
Task<A> pong(Event &mine, Event &other, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    other.set();
    co_await mine.wait();
  }
}

Task<Affinity::Main> ping_pong(int rounds) {
  Event left(EventReset::Auto);
  Event right(EventReset::Auto);
  co_await when_all(ping(left, right, rounds), pong<Affinity::Main>(right, left, rounds));
}

/// The event goes as soon as its waiter has passed, while the setter may still be on its way out of `set`.
Task<Affinity::Worker> sets(Event *event) {
  event->set();
  co_return;
}

Task<Affinity::Main> short_lived_events() {
  for (int i = 0; i < 500; ++i) {
    std::optional<Event> event(std::in_place, EventReset::Auto);
    JoinHandle<void> setter = co_await start(sets(&*event));
    co_await event->wait();
    event.reset();
    co_await std::move(setter);
  }
}

}  // namespace

TEST("a manual event lets everyone through until it is reset") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 10; ++round) CHECK(scheduler.run(manual_lets_all_through()));
  }
}

TEST("an auto-reset event lets one through for each time it is set") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 10; ++round) CHECK(scheduler.run(auto_lets_one_through()));
  }
}

TEST("no set is lost between two tasks that take turns") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    scheduler.run(ping_pong(2'000));
  }
}

TEST("an event may be destroyed by the waiter that it let through") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    scheduler.run(short_lived_events());
  }
}

TEST("an event can be set from the start") {
  Scheduler scheduler(1);
  scheduler.run([]() -> Task<Affinity::Main> {
    Event event(EventReset::Manual, true);
    co_await event.wait();
  }());
}
