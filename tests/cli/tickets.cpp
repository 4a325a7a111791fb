// Two threads draw tickets without a lock, while a customer waits for a third that nobody hands out.
#include <cassert>
#include <coroutine>
#include <thread>
#include <utility>

struct Task {
  struct promise_type {
    std::coroutine_handle<> continuation;
    Task get_return_object() { return Task{std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };

  explicit Task(std::coroutine_handle<promise_type> own) : handle(own) {}
  Task(Task &&other) : handle(std::exchange(other.handle, nullptr)) {}
  ~Task() {
    if (handle) handle.destroy();
  }
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    handle.promise().continuation = waiting;
    handle.resume();
  }
  void await_resume() {}

  std::coroutine_handle<promise_type> handle;
};

int drawn = 0;

int look() { return drawn; }

Task ticket() { co_await std::suspend_always(); }

Task customer() { co_await ticket(); }

void draw() { drawn++; }

int main() {
  Task waiting = customer();
  waiting.handle.resume();
  std::thread one(draw);
  std::thread other(draw);
  one.join();
  other.join();
  assert(drawn == 2);
}
