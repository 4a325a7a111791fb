// asio's `awaitable` as the task of an adapter, for the namespace `net`: standalone asio or Boost.Asio.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace threadbare::asio_adapter {

template <class T>
using Body = net::awaitable<T>;

/// An `awaitable` with room for what it came to, which asio gives to who awaits it alone.
template <class T>
struct Task {
  T take() {
    if (error) std::rethrow_exception(std::exchange(error, nullptr));
    if constexpr (!std::is_void_v<T>) return std::move(*value);
  }

  Body<T> body;
  std::optional<std::conditional_t<std::is_void_v<T>, std::monostate, T>> value{};
  std::exception_ptr error{};
};

/// asio's promise, but that it gives a `Task`. Were an `awaitable` converted to one, clang would destroy that once more
/// with the frame, from the stack of somebody else.
template <class T>
struct Promise : net::detail::awaitable_frame<T, net::any_io_executor> {
  using Frame = net::detail::awaitable_frame<T, net::any_io_executor>;

  Task<T> get_return_object() noexcept { return {Frame::get_return_object()}; }

  using Frame::await_transform;
  template <class U>
  auto await_transform(Body<U> awaited) {
    /// Tells asio of its own promise.
    struct Awaiter : Body<U> {
      void await_suspend(std::coroutine_handle<Promise> waiting) {
        Body<U>::await_suspend(std::coroutine_handle<Frame>::from_promise(waiting.promise()));
      }
    };
    return Awaiter{Frame::await_transform(std::move(awaited))};
  }
};

/// Runs a task and keeps what it came to. It does not notice that others of its group have ended: asio would break off the
/// operation that it is in.
template <class T>
Body<void> run_and_keep(Task<T> &task) {
  co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task.body);
    } else {
      task.value.emplace(co_await std::move(task.body));
    }
  } catch (...) {
    task.error = std::current_exception();
  }
}

}  // namespace threadbare::asio_adapter

template <class T, class... Arguments>
struct std::coroutine_traits<threadbare::asio_adapter::Task<T>, Arguments...> {
  using promise_type = threadbare::asio_adapter::Promise<T>;
};
