#include "bugs/owner_check_ignored_flag.hpp"
#include "bugs/owner_check_then_set.hpp"
#include "bugs/owner_leak_on_throw.hpp"
#include "bugs/owner_nested_exit.hpp"
#include "check.hpp"
#include "runtime/systems.hpp"

#include <atomic>
#include <cstddef>
#include <latch>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace threadbare;
using runtime::AccessChecks;
using runtime::NotOwner;
using runtime::Processor;

namespace {

/// Whether another thread may enter now. What it does is ordered before and after what the caller does.
template <class P>
bool another_enters(P &processor) {
  bool entered = false;
  std::thread([&] {
    try {
      processor.resume([&](P &) { entered = true; });
    } catch (const NotOwner &) {
    }
  }).join();
  return entered;
}

template <class P>
bool another_enters_after_a_nested_resume() {
  P processor;
  bool entered = false;
  processor.resume([&](P &outer) {
    outer.resume([](P &) {});
    entered = another_enters(outer);
  });
  return entered;
}

template <class P>
bool another_enters_inside_without_checks() {
  P processor(AccessChecks::Off);
  bool entered = false;
  processor.resume([&](P &inside) { entered = another_enters(inside); });
  return entered;
}

template <class P>
bool another_enters_after_a_throw() {
  P processor;
  CHECK_THROWS(std::runtime_error, processor.resume([](P &) { throw std::runtime_error("body"); }));
  return another_enters(processor);
}

}  // namespace

TEST("of 4 threads that resume at once 1 succeeds and 3 are refused, told by whom, every time") {
  constexpr int count = 4;
  for (int round = 0; round < 50; ++round) {
    Processor processor;
    std::latch together(count);
    std::latch all_refused(count - 1);
    std::atomic<int> successes{0};
    std::thread::id owner;
    std::vector<std::thread::id> blamed(count);
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        together.arrive_and_wait();
        try {
          processor.resume([&](Processor &) {
            ++successes;
            owner = std::this_thread::get_id();
            all_refused.wait();
          });
        } catch (const NotOwner &refused) {
          blamed[static_cast<std::size_t>(i)] = refused.owner;
          all_refused.count_down();
        }
      });
    }
    for (std::thread &thread : threads) thread.join();
    int refusals = 0;
    for (const std::thread::id by : blamed) {
      if (by == std::thread::id()) continue;
      CHECK(by == owner);
      ++refusals;
    }
    CHECK(successes == 1);
    CHECK(refusals == 3);
    CHECK(processor.steps() == 1);
    CHECK(processor.depth() == 0);
    CHECK(another_enters(processor));
  }
}

TEST("a refusal says who is inside") {
  Processor processor;
  std::string message;
  processor.resume([&](Processor &inside) {
    std::thread([&] {
      try {
        inside.resume([](Processor &) {});
      } catch (const NotOwner &refused) {
        message = refused.what();
      }
    }).join();
  });
  std::ostringstream expected;
  expected << "The processor is owned by thread " << std::this_thread::get_id();
  CHECK(message == expected.str());
}

TEST("each resume runs the next step, and threads may take turns") {
  Processor processor;
  for (unsigned long step = 1; step <= 100; ++step) {
    std::thread([&] {
      processor.resume([step](const Processor &inside) {
        CHECK(inside.steps() == step);
        CHECK(inside.depth() == 1);
      });
    }).join();
  }
  CHECK(processor.steps() == 100);
}

TEST("the owner may resume again, and remains the owner until its outermost exit") {
  Processor processor;
  processor.resume([](Processor &outer) {
    outer.resume([](Processor &middle) {
      middle.resume([](Processor &inner) {
        CHECK(inner.depth() == 3);
        CHECK(!another_enters(inner));
      });
      CHECK(!another_enters(middle));
    });
    CHECK(outer.depth() == 1);
    CHECK(!another_enters(outer));
  });
  CHECK(processor.steps() == 3);
  CHECK(another_enters(processor));
}

TEST("a body that throws leaves the processor, which can be resumed by anyone") {
  Processor processor;
  for (int round = 0; round < 3; ++round) {
    CHECK_THROWS(std::runtime_error, processor.resume([](Processor &) { throw std::runtime_error("outer"); }));
    CHECK(processor.depth() == 0);
    CHECK(another_enters(processor));
  }
}

TEST("a nested body that throws leaves its own step only") {
  Processor processor;
  processor.resume([](Processor &outer) {
    CHECK_THROWS(std::runtime_error, outer.resume([](Processor &) { throw std::runtime_error("inner"); }));
    CHECK(outer.depth() == 1);
    CHECK(!another_enters(outer));
  });
  CHECK(another_enters(processor));
}

TEST("without access checks nobody is refused") {
  CHECK(another_enters_inside_without_checks<Processor>());
}

TEST("without the bug, a nested exit and a throw do what they should") {
  CHECK(!another_enters_after_a_nested_resume<Processor>());
  CHECK(another_enters_after_a_throw<Processor>());
}

TEST("bug owner-nested-exit lets a second thread into a running coroutine") {
  CHECK(another_enters_after_a_nested_resume<bug::OwnerNestedExit::Processor>());
}

TEST("bug owner-check-ignored-flag refuses where nothing is to be checked") {
  CHECK(!another_enters_inside_without_checks<bug::OwnerCheckIgnoredFlag::Processor>());
}

TEST("bug owner-leak-on-throw refuses everyone after a throw") {
  CHECK(!another_enters_after_a_throw<bug::OwnerLeakOnThrow::Processor>());
}

TEST("bug owner-check-then-set is right where threads do not come at once") {
  using P = bug::OwnerCheckThenSet::Processor;
  CHECK(!another_enters_after_a_nested_resume<P>());
  CHECK(another_enters_inside_without_checks<P>());
  CHECK(another_enters_after_a_throw<P>());
}
