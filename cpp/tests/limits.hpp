// How far the tests go with the compiler at hand.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_THREAD__)
#define UNDER_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_THREAD_SANITIZER 1
#endif
#endif

// g++ compiles symmetric transfer to a tail call from -O2 on, but not under a sanitizer: there every await
// of a chain takes stack.
#if defined(__clang__) || !(defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__))
inline constexpr bool unbounded_transfer = true;
#else
inline constexpr bool unbounded_transfer = false;
#endif

// Another thing about g++ 12: it miscompiles a co_await in the condition of a loop or an if. Our coroutines put what
// it gives into a variable first.

/// A million, or what fits on the stack.
inline constexpr std::size_t long_chain = unbounded_transfer ? 1'000'000 : 1'000;

/// The thread counts of tests that run with several.
inline constexpr unsigned thread_counts[] = {1, 2, 3, 8};
