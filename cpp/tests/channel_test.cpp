#include "check.hpp"
#include "limits.hpp"
#include "runtime/runtime.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

using namespace threadbare::runtime;

namespace {

constexpr int per_sender = 300;

template <Affinity A>
Task<A> sends(Channel<int> &channel, int first, Latch &done) {
  for (int i = 0; i < per_sender; ++i) {
    const bool sent = co_await channel.send(first + i);
    CHECK(sent);
  }
  done.arrive();
}

template <Affinity A>
Task<A, std::vector<int>> receives(Channel<int> &channel) {
  std::vector<int> values;
  while (true) {
    const std::optional<int> value = co_await channel.receive();
    if (!value) break;
    values.push_back(*value);
  }
  co_return values;
}

Task<Affinity::Main> closes(Channel<int> &channel, Latch &done) {
  co_await done.wait();
  channel.close();
}

/// Each receiver sees each sender's values in order; together they see each value once.
Task<Affinity::Main, bool> everything_arrives(std::size_t capacity) {
  Channel<int> channel(capacity);
  Latch done(3);
  auto [to_main, to_worker, sent1, sent2, sent3, closed] = co_await when_all(
      receives<Affinity::Main>(channel), receives<Affinity::Worker>(channel),
      sends<Affinity::Main>(channel, 0, done), sends<Affinity::Worker>(channel, per_sender, done),
      sends<Affinity::Worker>(channel, 2 * per_sender, done), closes(channel, done));
  std::vector<int> seen(3 * per_sender, 0);
  for (const std::vector<int> *values : {&to_main, &to_worker}) {
    int last[3] = {-1, -1, -1};
    for (const int value : *values) {
      int &before = last[value / per_sender];
      if (value <= before) co_return false;
      before = value;
      ++seen[static_cast<std::size_t>(value)];
    }
  }
  for (const int times : seen) {
    if (times != 1) co_return false;
  }
  co_return true;
}

Task<Affinity::Worker, bool> sends_one(Channel<std::unique_ptr<int>> &channel, int value) {
  co_return co_await channel.send(std::make_unique<int>(value));
}

Task<Affinity::Main, bool> closing() {
  Channel<std::unique_ptr<int>> channel(2);
  bool right = co_await channel.send(std::make_unique<int>(1));
  right = co_await channel.send(std::make_unique<int>(2)) && right;
  JoinHandle<bool> waiting = co_await start(sends_one(channel, 3));
  for (int i = 0; i < 100; ++i) co_await yield();
  channel.close();
  // A send that waits when the channel closes did not happen, and one that comes later does not either. One that
  // only comes after the close is refused too, so it does not matter how far the worker was.
  right = !co_await std::move(waiting) && right;
  right = !co_await channel.send(std::make_unique<int>(4)) && right;
  for (int expected = 1; expected <= 2; ++expected) {
    std::optional<std::unique_ptr<int>> value = co_await channel.receive();
    right = right && value && **value == expected;
  }
  const std::optional<std::unique_ptr<int>> end = co_await channel.receive();
  co_return right && !end;
}

Task<Affinity::Worker, bool> finds_it_closed(Channel<int> &channel) {
  const std::optional<int> value = co_await channel.receive();
  co_return !value;
}

Task<Affinity::Main, bool> closing_wakes_receivers() {
  Channel<int> channel(1);
  JoinHandle<bool> first = co_await start(finds_it_closed(channel));
  JoinHandle<bool> second = co_await start(finds_it_closed(channel));
  for (int i = 0; i < 10; ++i) co_await yield();
  channel.close();
  channel.close();
  const bool both = co_await std::move(first);
  co_return co_await std::move(second) && both;
}

}  // namespace

TEST("every value arrives once, those of one sender in order") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (const std::size_t capacity : {1U, 2U, 7U, 1'000U}) CHECK(scheduler.run(everything_arrives(capacity)));
  }
}

TEST("a closed channel refuses values, waiting ones too, and can be drained") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 20; ++round) CHECK(scheduler.run(closing()));
  }
}

TEST("closing wakes the receivers of an empty channel") {
  for (const unsigned threads : thread_counts) {
    Scheduler scheduler(threads);
    for (int round = 0; round < 20; ++round) CHECK(scheduler.run(closing_wakes_receivers()));
  }
}
