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
class Channel<T>::Send : private Waiter {
 public:
  Send(Channel &channel, T &&value) noexcept : channel_(channel), value_(std::move(value)) {}
  ~Send() {
    // Only where the coroutine is destroyed while it waits.
    if (!linked()) return;
    const std::lock_guard lock(channel_.mutex_);
    channel_.senders_.remove(*this);
  }

  [[nodiscard]] static bool await_ready() noexcept { return false; }

  // Not inlined: see FinalSuspend.
  template <Promise P>
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<P> coroutine) noexcept {
    bind(coroutine);
    Waiter *receiver = nullptr;
    {
      const std::lock_guard lock(channel_.mutex_);
      if (channel_.closed_) return false;
      if (channel_.full()) {
        // Lifetime: once the lock is released, this frame may be resumed elsewhere.
        channel_.senders_.push_back(*this);
        return true;
      }
      sent_ = true;
      receiver = channel_.receivers_.pop_front();
      if (receiver) {
        static_cast<Receive *>(receiver)->value_.emplace(std::move(value_));
      } else {
        channel_.put(std::move(value_));
      }
    }
    if (receiver) receiver->wake();
    return false;
  }

  [[nodiscard]] bool await_resume() const noexcept { return sent_; }

 private:
  friend class Receive;
  Channel &channel_;
  T value_;
  bool sent_ = false;
};

template <class T>
class Channel<T>::Receive : private Waiter {
 public:
  explicit Receive(Channel &channel) noexcept : channel_(channel) {}
  ~Receive() {
    // Only where the coroutine is destroyed while it waits.
    if (!linked()) return;
    const std::lock_guard lock(channel_.mutex_);
    channel_.receivers_.remove(*this);
  }

  [[nodiscard]] static bool await_ready() noexcept { return false; }

  // Not inlined: see FinalSuspend.
  template <Promise P>
  [[gnu::noinline]] bool await_suspend(std::coroutine_handle<P> coroutine) noexcept {
    bind(coroutine);
    Waiter *sender = nullptr;
    {
      const std::lock_guard lock(channel_.mutex_);
      if (channel_.count_ == 0) {
        if (channel_.closed_) return false;
        // Lifetime: once the lock is released, this frame may be resumed elsewhere.
        channel_.receivers_.push_back(*this);
        return true;
      }
      value_.emplace(channel_.take());
      sender = channel_.senders_.pop_front();
      if (sender) {
        auto &send = *static_cast<Send *>(sender);
        channel_.put(std::move(send.value_));
        send.sent_ = true;
      }
    }
    if (sender) sender->wake();
    return false;
  }

  [[nodiscard]] std::optional<T> await_resume() noexcept { return std::move(value_); }

 private:
  friend class Send;
  Channel &channel_;
  std::optional<T> value_;
};

}  // namespace threadbare::runtime
