// Two threads draw tickets without a lock, while a customer waits for a third that nobody hands out.
#include <cassert>
#include <coroutine>
#include <pthread.h>

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
  Task(const Task &) = delete;
  ~Task() { handle.destroy(); }
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

void *draw(void *) {
  drawn++;
  return nullptr;
}

int main() {
  Task waiting = customer();
  waiting.handle.resume();
  pthread_t one, other;
  pthread_create(&one, nullptr, draw, nullptr);
  pthread_create(&other, nullptr, draw, nullptr);
  pthread_join(one, nullptr);
  pthread_join(other, nullptr);
  assert(drawn == 2);
}
