// The adapter of asio's coroutines on its thread pool, for the namespace `net`: standalone asio or Boost.Asio.
//
// Tasks are `awaitable`, begun with `co_spawn`; groups are the operators `&&` and `||` on a strand; timers are asio's, and all
// that waits for others is made of its concurrent channels.
#pragma once

#include "adapters/asio/task.hpp"
#include "harness/runtime.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <future>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace threadbare::asio_adapter {

using Queue = net::experimental::concurrent_channel<void(error_code, bool)>;

struct Adapter {
  template <class T>
  using Task = asio_adapter::Task<T>;

  struct Scheduler {
    explicit Scheduler(unsigned threads) : pool(threads), strand(net::make_strand(pool)) {}

    net::thread_pool pool;
    /// Of all groups: asio takes the mutex of a strand out of 193 by the address of what it allocated, so
    /// schedules in which two strands share one would not replay.
    net::strand<net::thread_pool::executor_type> strand;
  };
  /// One thread more than asked for runs tasks, since the one that calls `run` only waits.
  static constexpr Semantics semantics{
      .extra_threads = 1,
      .detach = Detach::AnyTime,
      .losers = Losers::Awaited,
      .any_failure = AnyFailure::Wins,
  };

  template <class T>
  static T run(Scheduler &scheduler, Task<T> task) {
    // With `use_future` asio begins its static pool, of as many threads as the machine has.
    std::promise<T> promise;
    std::future<T> future = promise.get_future();
    auto tell = [promise = std::move(promise)](std::exception_ptr error, auto... value) mutable {
      if (error) {
        promise.set_exception(error);
      } else {
        promise.set_value(std::move(value)...);
      }
    };
    net::co_spawn(scheduler.pool, std::move(task.body), std::move(tell));
    return future.get();
  }
  template <class T>
  static void spawn(Scheduler &scheduler, Task<T> task) {
    net::co_spawn(scheduler.pool, std::move(task.body), net::detached);
  }
  template <class T>
  static Body<T> result(Task<T> &&task) {
    return std::move(task.body);
  }
  static void drain(Scheduler &scheduler) { scheduler.pool.join(); }

  /// What a task that was started shares with its handle, which is told of the end by way of a queue.
  template <class T>
  struct Started {
    Started(net::thread_pool &pool, Task<T> its_task) : task(std::move(its_task)), ended(pool, 1) {}

    Task<T> task;
    Queue ended;
  };
  template <class T>
  struct JoinHandle {
    void detach() { started.reset(); }

    std::shared_ptr<Started<T>> started;
  };
  template <class T>
  static JoinHandle<T> start(Scheduler &scheduler, Task<T> task) {
    auto started = std::make_shared<Started<T>>(scheduler.pool, std::move(task));
    net::co_spawn(scheduler.pool, run_started(started), net::detached);
    return {std::move(started)};
  }
  template <class T>
  static Body<T> result(JoinHandle<T> &&handle) {
    return join(std::move(handle.started));
  }

  template <class T>
  static T ended(Task<T> &task) {
    return task.take();
  }
  /// Groups run on the strand, since a group is cancelled by whoever ends it, and no two threads may touch what is cancelled.
  template <class AnyTask>
  static Body<void> when_all(Scheduler &scheduler, std::vector<AnyTask> &tasks) {
    return net::co_spawn(scheduler.strand, all_from(tasks, 0), net::use_awaitable);
  }
  template <class AnyTask>
  static Body<std::size_t> when_any(Scheduler &scheduler, std::vector<AnyTask> &tasks) {
    return net::co_spawn(scheduler.strand, any_from(tasks, 0), net::use_awaitable);
  }
  static Body<void> yield(Scheduler &scheduler) { return net::post(scheduler.pool, net::use_awaitable); }
  static Body<void> sleep_for(Scheduler &scheduler, std::chrono::microseconds duration) {
    net::steady_timer timer(scheduler.pool, duration);
    co_await timer.async_wait(net::use_awaitable);
  }

  /// Whoever waits receives from a queue that somebody else sends to. (asio's channels are not offered as such: `close` forgets
  /// who waits to send, and in 1.22 drops what was not received.)
  class Permits {
   public:
    Permits(Scheduler &scheduler, std::uint32_t permits) : queue_(scheduler.pool, UINT32_MAX) {
      for (std::uint32_t i = 0; i < permits; ++i) give();
    }

    Body<void> take() { co_await queue_.async_receive(net::use_awaitable); }
    void give() { queue_.try_send(error_code(), true); }

   protected:
    Queue queue_;
  };

  class Mutex {
    struct Give {
      void operator()(Permits *permit) const { permit->give(); }
    };

   public:
    struct Guard : std::unique_ptr<Permits, Give> {
      using std::unique_ptr<Permits, Give>::unique_ptr;
      void unlock() { reset(); }
    };

    explicit Mutex(Scheduler &scheduler) : permit_(scheduler, 1) {}

    Body<Guard> lock() {
      co_await permit_.take();
      co_return Guard(&permit_);
    }

   private:
    Permits permit_;
  };

  struct Semaphore : Permits {
    using Permits::Permits;

    Body<void> acquire() { return take(); }
    /// In which a task is suspended.
    Body<void> release() { return queue_.async_send(error_code(), true, net::use_awaitable); }
  };

 private:
  template <class T>
  static Body<void> run_started(std::shared_ptr<Started<T>> started) {
    co_await run_and_keep(started->task);
    started->ended.try_send(error_code(), true);
  }
  template <class T>
  static Body<T> join(std::shared_ptr<Started<T>> started) {
    co_await started->ended.async_receive(net::use_awaitable);
    co_return started->task.take();
  }

  template <class AnyTask>
  static Body<void> one(AnyTask &task) {
    return std::visit([](auto &each) { return run_and_keep(each); }, task);
  }
  template <class AnyTask>
  static Body<void> all_from(std::vector<AnyTask> &tasks, std::size_t first) {
    using namespace net::experimental::awaitable_operators;
    if (first + 1 == tasks.size()) {
      co_await one(tasks[first]);
    } else {
      co_await (one(tasks[first]) && all_from(tasks, first + 1));
    }
  }
  template <class AnyTask>
  static Body<std::size_t> any_from(std::vector<AnyTask> &tasks, std::size_t first) {
    using namespace net::experimental::awaitable_operators;
    if (first + 1 == tasks.size()) {
      co_await one(tasks[first]);
      co_return first;
    }
    co_await net::this_coro::throw_if_cancelled(false);
    const auto winner = co_await (one(tasks[first]) || any_from(tasks, first + 1));
    co_return winner.index() == 0 ? first : *std::get_if<1>(&winner);
  }
};

}  // namespace threadbare::asio_adapter
