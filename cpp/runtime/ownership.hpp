// A resumable coroutine object that one thread at a time may enter.
#pragma once

#include <atomic>
#include <concepts>
#include <coroutine>
#include <exception>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace threadbare::runtime {

/// Off: the caller vouches that no two threads are inside at once, and nothing is checked or refused.
enum class AccessChecks { On, Off };

/// A thread was refused, because another one is inside.
struct NotOwner : std::logic_error {
  explicit NotOwner(std::thread::id its_owner) : std::logic_error(message(its_owner)), owner(its_owner) {}

  /// The thread that was inside when this one was refused.
  std::thread::id owner;

 private:
  static std::string message(std::thread::id owner) {
    std::ostringstream text;
    text << "The processor is owned by thread " << owner;
    return std::move(text).str();
  }
};

/// Which thread is inside. The claim belongs to the entry that made it, so that entries nested in that one
/// neither make nor release it.
class Ownership {
 public:
  explicit Ownership(AccessChecks checks) noexcept : checks_(checks) {}

  /// Gives whether this made the calling thread the owner; it does not where the thread was the owner already,
  /// or where nothing is checked. Throws NotOwner where another thread is the owner.
  [[nodiscard]] bool claim() {
    if (checks_ == AccessChecks::Off) return false;
    const std::thread::id self = std::this_thread::get_id();
    std::thread::id owner;
    // Ordering: acquire pairs with the release in `release`: what the last owner did inside has been done. A failed
    // claim reads either this thread's own id or one that it only reports.
    if (owner_.compare_exchange_strong(owner, self, std::memory_order_acquire, std::memory_order_relaxed)) return true;
    if (owner != self) throw NotOwner(owner);
    return false;
  }

  /// Called by the entry that made the claim, when it ends.
  // Ordering: release pairs with the acquire in `claim`.
  void release() noexcept { owner_.store(std::thread::id(), std::memory_order_release); }

 protected:
  /// No thread's id while nobody is inside.
  std::atomic<std::thread::id> owner_{};
  const AccessChecks checks_;
};

/// A script engine's processor: a coroutine that runs one step each time it is resumed. Must outlive every call.
/// `Ownership` is made from AccessChecks, and claims and releases as the one above.
template <class Ownership>
class BasicProcessor {
 public:
  explicit BasicProcessor(AccessChecks checks = AccessChecks::On) : ownership_(checks), script_(script()) {}
  // The coroutine knows where its processor is.
  BasicProcessor(const BasicProcessor &) = delete;
  BasicProcessor &operator=(const BasicProcessor &) = delete;

  /// Runs `body(*this)` as the next step of the coroutine, and throws what it throws; the coroutine can be resumed
  /// all the same. The body may resume the processor: that step runs nested in its own. Throws NotOwner, and
  /// touches nothing, where another thread is inside and accesses are checked.
  template <std::invocable<BasicProcessor &> Body>
  void resume(Body &&body) {
    const Entry entry(ownership_);
    const auto call = [&body](BasicProcessor &processor) { std::invoke(body, processor); };
    const Step step(call);
    if (depth_ > 0) return run(step);
    next_ = &step;
    script_.resume();
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

  /// How many steps have begun. For whoever is inside, or knows that nobody is.
  [[nodiscard]] unsigned long steps() const noexcept { return steps_; }

  /// How many steps are under way, each nested in the one before. For the same callers as `steps`.
  [[nodiscard]] unsigned depth() const noexcept { return depth_; }

 private:
  class Entry;
  class Step;
  class Script;

  Script script() {
    for (;;) {
      try {
        run(*next_);
      } catch (...) {
        // Kept from the coroutine, which it would end.
        failure_ = std::current_exception();
      }
      co_await std::suspend_always{};
    }
  }

  void run(const Step &step) {
    struct Depth {
      explicit Depth(unsigned &depth) noexcept : depth_(++depth) {}
      Depth(const Depth &) = delete;
      Depth &operator=(const Depth &) = delete;
      ~Depth() { --depth_; }
      unsigned &depth_;
    };
    ++steps_;
    const Depth depth(depth_);
    step(*this);
  }

  Ownership ownership_;
  // All below belongs to the owner.
  unsigned long steps_ = 0;
  unsigned depth_ = 0;
  /// What the coroutine runs when it is resumed; it stands on the stack of `resume`.
  const Step *next_ = nullptr;
  /// What the step of the coroutine threw, until `resume` passes it on.
  std::exception_ptr failure_;
  Script script_;
};

using Processor = BasicProcessor<Ownership>;

/// The claim of one call of `resume`, if it made it.
template <class Ownership>
class BasicProcessor<Ownership>::Entry {
 public:
  explicit Entry(Ownership &ownership) : ownership_(ownership), claimed_(ownership.claim()) {}
  Entry(const Entry &) = delete;
  Entry &operator=(const Entry &) = delete;
  ~Entry() {
    if (claimed_) ownership_.release();
  }

 private:
  Ownership &ownership_;
  const bool claimed_;
};

/// Refers to a body, of whatever type.
template <class Ownership>
class BasicProcessor<Ownership>::Step {
 public:
  template <class Call>
  explicit Step(const Call &call) noexcept
      : call_(&call), run_([](const void *erased, BasicProcessor &processor) {
          (*static_cast<const Call *>(erased))(processor);
        }) {}

  void operator()(BasicProcessor &processor) const { run_(call_, processor); }

 private:
  const void *call_;
  void (*run_)(const void *, BasicProcessor &);
};

/// Owns the coroutine, which never ends by itself.
template <class Ownership>
class BasicProcessor<Ownership>::Script {
 public:
  struct promise_type {
    Script get_return_object() noexcept { return Script(Handle::from_promise(*this)); }
    static std::suspend_always initial_suspend() noexcept { return {}; }
    static std::suspend_always final_suspend() noexcept { return {}; }
    static void return_void() noexcept {}
    [[noreturn]] static void unhandled_exception() noexcept { std::terminate(); }
  };

  Script(const Script &) = delete;
  Script &operator=(const Script &) = delete;
  ~Script() { handle_.destroy(); }

  void resume() const { handle_.resume(); }

 private:
  using Handle = std::coroutine_handle<promise_type>;
  // Lifetime: the frame belongs to the script from here on.
  explicit Script(Handle handle) noexcept : handle_(handle) {}
  const Handle handle_;
};

}  // namespace threadbare::runtime
