// The first frame of every virtual thread, and how a thread ends in the middle: `pthread_exit` unwinds its stack to
// that frame, as glibc does, running destructors and cleanup handlers on the way. Never instrumented.
#include <cxxabi.h>
#include <pthread.h>
#include <unwind.h>

#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

/// How one virtual thread ends in the middle. Lives in its first frame.
struct Exit {
  _Unwind_Exception exception{};
  void *result = nullptr;
  /// The unwinding has reached the first frame.
  bool reached = false;
  /// Handlers that C code without exceptions has pushed (`pthread_cleanup_push`), the last one first.
  __pthread_unwind_buf_t *handlers = nullptr;
  /// Where the frame that pushed the last one of them begins (its lowest address); 0 if there is none.
  std::uintptr_t handler_frame = 0;
};

__pthread_unwind_buf_t *&next_of(__pthread_unwind_buf_t *handler) {
  return *reinterpret_cast<__pthread_unwind_buf_t **>(&handler->__pad[0]);
}

/// Called by the C++ runtime when a `catch (...)` is left: only the first frame may leave one for good.
void left(_Unwind_Reason_Code, _Unwind_Exception *exception) {
  if (reinterpret_cast<Exit *>(exception)->reached) return;
  std::fputs("FATAL: exception not rethrown\n", stderr);
  std::abort();
}

/// Called for each frame from the innermost one on, until the one that the last handler lies in is found.
_Unwind_Reason_Code find_handler_frame(_Unwind_Context *context, void *argument) {
  auto *exit = static_cast<Exit *>(argument);
  const auto start = static_cast<std::uintptr_t>(_Unwind_GetCFA(context));
  if (start > reinterpret_cast<std::uintptr_t>(exit->handlers)) return _URC_END_OF_STACK;
  exit->handler_frame = start;
  return _URC_NO_REASON;
}

/// Called before each frame is unwound: a handler of the frame runs first.
_Unwind_Reason_Code at_frame(int, _Unwind_Action actions, _Unwind_Exception_Class, _Unwind_Exception *exception,
                             _Unwind_Context *context, void *) {
  auto *exit = reinterpret_cast<Exit *>(exception);
  if (exit->handler_frame != 0 && _Unwind_GetCFA(context) == exit->handler_frame) {
    auto *handler = exit->handlers;
    exit->handlers = next_of(handler);
    // The jump goes to what pthread_cleanup_push saved, which calls the handler and then __pthread_unwind_next.
    std::jmp_buf place;
    std::memcpy(&place, &handler->__cancel_jmp_buf, sizeof handler->__cancel_jmp_buf);
    place->__mask_was_saved = 0;
    std::longjmp(place, 1);
  }
  if ((actions & _UA_END_OF_STACK) != 0) std::abort();
  return _URC_NO_REASON;
}

[[noreturn]] void unwind(Exit *exit) {
  exit->exception.exception_class = 0;
  exit->exception.exception_cleanup = left;
  exit->handler_frame = 0;
  if (exit->handlers != nullptr) _Unwind_Backtrace(find_handler_frame, exit);
  _Unwind_ForcedUnwind(&exit->exception, at_frame, nullptr);
  std::abort();
}

/// Apart from what terminates the program: where one function does both, g++ 12 terminates with no exception to tell of.
[[gnu::noinline]] void run(Exit &exit, void *start, void *argument, int is_c11, void **place) {
  try {
    exit.result = is_c11 != 0
                      ? reinterpret_cast<void *>(std::intptr_t{reinterpret_cast<int (*)(void *)>(start)(argument)})
                      : reinterpret_cast<void *(*)(void *)>(start)(argument);
    *place = nullptr;
  } catch (const abi::__forced_unwind &) {
    exit.reached = true;
  }
}

}  // namespace

extern "C" {

/// Runs `start(argument)`, which returns an `int` if it is C11's, as a thread's first function; `*place` is what the
/// functions below take, and null once the function has returned by itself. An exception that leaves it terminates the
/// program.
void *threadbare_run_thread(void *start, void *argument, int is_c11, void **place) noexcept {
  Exit exit;
  *place = &exit;
  run(exit, start, argument, is_c11, place);
  return exit.result;
}

/// Ends the running thread with `result`.
[[noreturn]] void threadbare_exit_thread(void *place, void *result) {
  auto *exit = static_cast<Exit *>(place);
  exit->result = result;
  unwind(exit);
}

/// Goes on with that, after a handler.
[[noreturn]] void threadbare_exit_further(void *place) { unwind(static_cast<Exit *>(place)); }

void threadbare_push_handler(void *place, void *buffer) {
  auto *exit = static_cast<Exit *>(place);
  auto *handler = static_cast<__pthread_unwind_buf_t *>(buffer);
  next_of(handler) = exit->handlers;
  exit->handlers = handler;
}

void threadbare_pop_handler(void *place, void *buffer) {
  static_cast<Exit *>(place)->handlers = next_of(static_cast<__pthread_unwind_buf_t *>(buffer));
}
}
