// What a program asks about its sanitizer is answered as the build is, whatever its points are made by; and what it tells
// a sanitizer can be told to every build.
//
// ending: status 0
#include <dlfcn.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#include <sanitizer/tsan_interface.h>

#include <atomic>
#include <cassert>
#include <memory>
#include <thread>

extern "C" {
void AnnotateHappensBefore(const char *file, int line, const volatile void *address);
void AnnotateHappensAfter(const char *file, int line, const volatile void *address);
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
int RunningOnValgrind();
}

namespace {

constexpr bool says_thread =
#if defined(__SANITIZE_THREAD__)
    true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
    true;
#else
    false;
#endif
#else
    false;
#endif

#if defined(__clang__)
#if !__has_feature(cxx_constexpr)
#error "what else is asked is answered as ever"
#endif
#if !defined(_GNU_SOURCE) || __has_feature(c_atomic)
#error "an extension is no feature"
#endif
#endif

/// Handed over by annotations alone.
struct Box {
  int value = 0;
  std::atomic<bool> full{false};

  void put(int given) {
    value = given;
    AnnotateHappensBefore(__FILE__, __LINE__, this);
    __tsan_release(this);
    full.store(true, std::memory_order_relaxed);
  }

  int take() {
    while (!full.load(std::memory_order_relaxed)) std::this_thread::yield();
    __tsan_acquire(this);
    AnnotateHappensAfter(__FILE__, __LINE__, this);
    return value;
  }
};

bool is_loaded(const char *function) { return dlsym(RTLD_DEFAULT, function) != nullptr; }

}  // namespace

int main() {
  assert(says_thread == is_loaded("__tsan_acquire"));
  Box box;
  std::thread thread([&] { box.put(7); });
  assert(box.take() == 7);
  thread.join();

  const auto bytes = std::make_unique<char[]>(64);
  __asan_poison_memory_region(bytes.get(), 64);
  assert(bool(__asan_address_is_poisoned(bytes.get())) == is_loaded("__asan_poison_memory_region"));
  __asan_unpoison_memory_region(bytes.get(), 64);
  assert(__sanitizer_verify_contiguous_container(bytes.get(), bytes.get() + 64, bytes.get() + 64) == 1);

  __tsan_mutex_create(&box, 0);
  __tsan_mutex_pre_lock(&box, 0);
  __tsan_mutex_post_lock(&box, 0, 0);
  __tsan_mutex_pre_unlock(&box, 0);
  __tsan_mutex_post_unlock(&box, 0);
  __tsan_mutex_destroy(&box, 0);
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  __lsan_disable();
  __lsan_enable();
  return RunningOnValgrind();
}
