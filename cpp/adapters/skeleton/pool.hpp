// Stands in for your runtime: threads that resume what is posted, and a count of tasks.
#pragma once

#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

class Pool {
 public:
  explicit Pool(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    ready_.notify_all();
    for (std::thread &thread : threads_) thread.join();
  }

  void post(std::coroutine_handle<> coroutine) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(coroutine);
    }
    ready_.notify_one();
  }

  // Tasks that have begun and not ended; `wait` returns when there are none.
  void begin() {
    const std::lock_guard lock(mutex_);
    ++tasks_;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    if (--tasks_ == 0) idle_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return tasks_ == 0; });
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      ready_.wait(lock, [this] { return over_ || !queue_.empty(); });
      if (queue_.empty()) return;
      const std::coroutine_handle<> next = queue_.front();
      queue_.pop_front();
      lock.unlock();
      next.resume();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable ready_, idle_;
  std::deque<std::coroutine_handle<>> queue_;
  std::size_t tasks_ = 0;
  bool over_ = false;
  std::vector<std::thread> threads_;
};
