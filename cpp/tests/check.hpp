// A test framework of one header: TEST("what it proves") { CHECK(...); }, and a main that runs them all.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace check {

struct Test {
  const char *name;
  void (*body)();
};

inline std::vector<Test> &tests() {
  static std::vector<Test> list;
  return list;
}

struct Registration {
  Registration(const char *name, void (*body)()) { tests().push_back({name, body}); }
};

[[noreturn]] inline void fail(const char *file, int line, const char *what) {
  std::fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
  std::fflush(stderr);
  // No unwinding: other threads may still use what this one owns.
  std::_Exit(1);
}

/// Counts the live objects made from it, so that tests see frames come and go.
class Live {
 public:
  class Token {
   public:
    explicit Token(std::shared_ptr<int> keep) noexcept : keep_(std::move(keep)) {}

   private:
    std::shared_ptr<int> keep_;
  };

  [[nodiscard]] Token token() const { return Token(count_); }
  [[nodiscard]] long count() const { return count_.use_count() - 1; }

 private:
  std::shared_ptr<int> count_ = std::make_shared<int>(0);
};

}  // namespace check

#define CHECK(condition) ((condition) ? (void)0 : ::check::fail(__FILE__, __LINE__, #condition))
#define CHECK_THROWS(type, expression)                                                  \
  do {                                                                                  \
    bool thrown = false;                                                                \
    try {                                                                               \
      (void)(expression);                                                               \
    } catch (const type &) {                                                            \
      thrown = true;                                                                    \
    }                                                                                   \
    if (!thrown) ::check::fail(__FILE__, __LINE__, #expression " throws " #type);       \
  } while (false)

#define CHECK_JOIN_(a, b) a##b
#define CHECK_JOIN(a, b) CHECK_JOIN_(a, b)
#define TEST(name)                                                                                           \
  static void CHECK_JOIN(test_, __LINE__)();                                                                 \
  static const ::check::Registration CHECK_JOIN(registration_, __LINE__)(name, CHECK_JOIN(test_, __LINE__)); \
  static void CHECK_JOIN(test_, __LINE__)()

int main() {
  for (const ::check::Test &test : ::check::tests()) {
    std::printf("%s ... ", test.name);
    std::fflush(stdout);
    try {
      test.body();
    } catch (const std::exception &error) {
      ::check::fail(test.name, 0, error.what());
    }
    std::printf("ok\n");
  }
  return 0;
}
