// A bounded queue of values between coroutines.
#pragma once

#include "runtime/waiter.hpp"

#include <cassert>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace threadbare::runtime {

/// Holds up to `capacity` values; sends wait while it is full, receives while it is empty. Values come out
/// in the order in which they went in, and waiters are served in the order in which they came. Must outlive
/// every coroutine that uses it. `T` is moved without throwing.
template <class T>
class Channel {
 public:
  explicit Channel(std::size_t capacity) : values_(capacity) {
    assert(capacity > 0 && "a channel holds at least 1 value");
  }

  class Send;
  class Receive;

  /// `co_await channel.send(value)` gives whether the value went in; it does not once the channel is closed.
  Send send(T value) noexcept { return Send(*this, std::move(value)); }

  /// `co_await channel.receive()` gives the next value, or nothing once the channel is closed and drained.
  Receive receive() noexcept { return Receive(*this); }

  /// Refuses values from now on, those of waiting sends too. Values that went in can still be received.
  void close() noexcept {
    WaiterList woken_senders;
    WaiterList woken_receivers;
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      woken_senders.take(senders_);
      woken_receivers.take(receivers_);
    }
    woken_senders.wake_all();
    woken_receivers.wake_all();
  }

 private:
  [[nodiscard]] bool full() const noexcept { return count_ == values_.size(); }

  void put(T &&value) noexcept {
    values_[(first_ + count_) % values_.size()].emplace(std::move(value));
    ++count_;
  }

  T take() noexcept {
    std::optional<T> &slot = values_[first_];
    T value = std::move(*slot);
    slot.reset();
    first_ = (first_ + 1) % values_.size();
    --count_;
    return value;
  }

  std::mutex mutex_;
  /// A ring: `count_` values from index `first_` on.
  std::vector<std::optional<T>> values_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  bool closed_ = false;
  /// Not empty only while the channel is full and open.
  WaiterList senders_;
  /// Not empty only while the channel is empty and open.
  WaiterList receivers_;
};

template <class T>
class Channel<T>::Send : public QueuedWaiter {
 public:
  Send(Channel &channel, T &&value) noexcept
      : QueuedWaiter(channel.mutex_, channel.senders_), channel_(channel), value_(std::move(value)) {}

  // Not inlined: see FinalSuspend.
  template <Promise P>
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<P> coroutine) noexcept {
    Waiter *receiver = nullptr;
    const bool waits = wait_unless(coroutine, [this, &receiver] {
      if (channel_.closed_) return true;
      if (channel_.full()) return false;
      sent_ = true;
      receiver = channel_.receivers_.pop_front();
      if (receiver) {
        static_cast<Receive *>(receiver)->value_.emplace(std::move(value_));
      } else {
        channel_.put(std::move(value_));
      }
      return true;
    });
    if (receiver) receiver->wake();
    return waits;
  }

  [[nodiscard]] bool await_resume() const noexcept { return sent_; }

 private:
  friend class Receive;
  Channel &channel_;
  T value_;
  bool sent_ = false;
};

template <class T>
class Channel<T>::Receive : public QueuedWaiter {
 public:
  explicit Receive(Channel &channel) noexcept
      : QueuedWaiter(channel.mutex_, channel.receivers_), channel_(channel) {}

  // Not inlined: see FinalSuspend.
  template <Promise P>
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<P> coroutine) noexcept {
    Waiter *sender = nullptr;
    const bool waits = wait_unless(coroutine, [this, &sender] {
      if (channel_.count_ == 0) return channel_.closed_;
      value_.emplace(channel_.take());
      sender = channel_.senders_.pop_front();
      if (sender) {
        auto &send = *static_cast<Send *>(sender);
        channel_.put(std::move(send.value_));
        send.sent_ = true;
      }
      return true;
    });
    if (sender) sender->wake();
    return waits;
  }

  [[nodiscard]] std::optional<T> await_resume() noexcept { return std::move(value_); }

 private:
  friend class Send;
  Channel &channel_;
  std::optional<T> value_;
};

}  // namespace threadbare::runtime
