// Interpreter contexts: one for the main thread, and one for each parallel branch elsewhere.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace threadbare::runtime {

/// Marks the thread that makes it as the main thread until it is destroyed there. A thread id would not do: it
/// belongs to another thread once its own has ended.
class MainThread {
 public:
  MainThread() noexcept { ++marks_; }
  MainThread(const MainThread &) = delete;
  MainThread &operator=(const MainThread &) = delete;
  ~MainThread() { --marks_; }

  /// Whether the calling thread is the main thread.
  [[nodiscard]] static bool is_current() noexcept { return marks_ > 0; }

 private:
  static constinit inline thread_local unsigned marks_ = 0;
};

class ContextCache;

/// What an interpreter knows while it runs: here, one variable. For one thread at a time.
class Context {
 public:
  explicit inline Context(ContextCache &cache) noexcept;
  Context(const Context &) = delete;
  Context &operator=(const Context &) = delete;
  inline ~Context();

  [[nodiscard]] std::int64_t get() const noexcept { return value_; }
  void put(std::int64_t value) noexcept { value_ = value; }

 private:
  ContextCache &cache_;
  std::int64_t value_ = 0;
};

/// Keeps the main thread's context, and counts all of them. Must outlive its engines.
class ContextCache {
 public:
  ContextCache() = default;
  ContextCache(const ContextCache &) = delete;
  ContextCache &operator=(const ContextCache &) = delete;

  /// The one context that lives as long as the cache, made when it is first asked for. For the main thread only.
  Context &main_context() noexcept { return main_context_ ? *main_context_ : main_context_.emplace(*this); }

  /// How many contexts are alive. Where no branch is: 1 if the main thread has ever had one, else 0.
  // Ordering: relaxed, a count; whoever wants it exact has joined the threads with branches.
  [[nodiscard]] std::size_t live() const noexcept { return live_.load(std::memory_order_relaxed); }

 private:
  friend class Context;
  /// Before the context that it counts.
  std::atomic<std::size_t> live_{0};
  std::optional<Context> main_context_;
};

inline Context::Context(ContextCache &cache) noexcept : cache_(cache) {
  // Ordering: relaxed, see `ContextCache::live`.
  cache_.live_.fetch_add(1, std::memory_order_relaxed);
}

// Ordering: relaxed, as above.
inline Context::~Context() { cache_.live_.fetch_sub(1, std::memory_order_relaxed); }

/// Decides which branches share a context.
class ContextStore {
 public:
  explicit ContextStore(ContextCache &cache) noexcept : cache_(cache) {}

  /// The context that all branches of the calling thread share; null where each gets its own.
  [[nodiscard]] Context *shared() const noexcept {
    return MainThread::is_current() ? &cache_.main_context() : nullptr;
  }

 protected:
  ContextCache &cache_;
};

template <class Store>
class Branch;

/// Where code runs that asks for its context. Made on any thread, for branches on any thread; must outlive them.
/// `Store` is made from a ContextCache, and answers as the one above.
template <class Store>
class BasicEngine {
 public:
  explicit BasicEngine(ContextCache &cache) : cache_(cache), store_(cache) {}
  BasicEngine(const BasicEngine &) = delete;
  BasicEngine &operator=(const BasicEngine &) = delete;

 private:
  friend class Branch<Store>;
  ContextCache &cache_;
  Store store_;
};

using Engine = BasicEngine<ContextStore>;

/// One parallel branch: made, used and destroyed on one thread. On the main thread it has the context that the
/// cache keeps, elsewhere a fresh one that ends with it.
template <class Store>
class Branch {
 public:
  explicit Branch(BasicEngine<Store> &engine) : context_(engine.store_.shared()) {
    if (context_) return;
    own_ = std::make_unique<Context>(engine.cache_);
    context_ = own_.get();
  }
  Branch(const Branch &) = delete;
  Branch &operator=(const Branch &) = delete;

  [[nodiscard]] Context &context() noexcept { return *context_; }

 private:
  std::unique_ptr<Context> own_;
  Context *context_;
};

}  // namespace threadbare::runtime
