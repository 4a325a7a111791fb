// One thread at a time inside a processor.
#include "bugs/owner_check_ignored_flag.hpp"
#include "bugs/owner_check_then_set.hpp"
#include "bugs/owner_leak_on_throw.hpp"
#include "bugs/owner_nested_exit.hpp"
#include "probes/scenarios/scenario.hpp"
#include "probes/scenarios/threads.hpp"
#include "runtime/systems.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <thread>

namespace threadbare {

namespace {

using runtime::AccessChecks;
using runtime::CorrectSystems;
using runtime::NotOwner;

constexpr unsigned thread_count = 4;

/// What a throwing body throws.
struct Thrown {};

/// Whether another thread may enter now.
template <class Processor>
bool another_enters(Processor &processor) {
  bool entered = false;
  on_threads(1, [&](unsigned) {
    try {
      processor.resume([&](Processor &) { entered = true; });
    } catch (const NotOwner &) {
    }
  });
  return entered;
}

/// 4 threads resume at once, and whoever is inside stays until all others have been refused: 1 success and 3
/// refusals. Then any thread may enter.
template <class Systems>
std::int64_t four_resume_at_once() {
  using Processor = typename Systems::Processor;
  Expectations expect;
  Processor processor;
  Meeting all_tried(thread_count);
  std::thread::id owner;
  std::array<std::thread::id, thread_count> blamed;
  std::atomic<unsigned> successes{0};
  on_threads(thread_count, [&](unsigned i) {
    try {
      processor.resume([&](Processor &) {
        if (++successes == 1) owner = std::this_thread::get_id();
        all_tried.wait();
      });
    } catch (const NotOwner &refusal) {
      blamed[i] = refusal.owner;
      all_tried.pass_by();
    }
  });
  expect(successes == 1);
  unsigned refusals = 0;
  for (const std::thread::id by : blamed) {
    if (by == std::thread::id()) continue;
    expect(by == owner);
    ++refusals;
  }
  expect(refusals == 3);
  expect(processor.steps() == 1 && processor.depth() == 0);
  expect(another_enters(processor));
  expect(processor.steps() == 2);
  return expect.result();
}

/// The owner resumes within its own resume, and within that one; 3 threads keep trying meanwhile, the last time when
/// only the outermost resume is left. None gets in.
template <class Systems>
std::int64_t nested_resumes() {
  using Processor = typename Systems::Processor;
  Expectations expect;
  Processor processor;
  std::atomic<unsigned> refusals{0};
  Meeting stage(thread_count);
  const auto owner = [&] {
    processor.resume([&](Processor &outer) {
      stage.wait();
      outer.resume([&](Processor &inner) {
        inner.resume([&](Processor &innermost) { expect(innermost.depth() == 3); });
        expect(inner.depth() == 2);
      });
      expect(outer.depth() == 1);
      stage.wait();
      // Until the others have tried once more.
      stage.wait();
    });
  };
  const auto other = [&] {
    const auto attempt = [&] {
      try {
        processor.resume([&](Processor &) { expect(false); });
      } catch (const NotOwner &) {
        ++refusals;
      }
    };
    stage.wait();
    attempt();
    stage.wait();
    attempt();
    stage.wait();
  };
  on_threads(thread_count, [&](unsigned i) {
    if (i == 0) {
      owner();
    } else {
      other();
    }
  });
  expect(refusals == 2 * (thread_count - 1));
  expect(processor.steps() == 3 && processor.depth() == 0);
  expect(another_enters(processor));
  return expect.result();
}

/// 4 threads resume with a body that throws: each gets in, and what its body threw, or is refused. Then any thread
/// may enter.
template <class Systems>
std::int64_t throwing_bodies() {
  using Processor = typename Systems::Processor;
  Expectations expect;
  Processor processor;
  std::atomic<unsigned> thrown{0};
  std::atomic<unsigned> refusals{0};
  on_threads(thread_count, [&](unsigned) {
    try {
      processor.resume([](Processor &) { throw Thrown(); });
      expect(false);
    } catch (const Thrown &) {
      ++thrown;
    } catch (const NotOwner &) {
      ++refusals;
    }
  });
  expect(thrown >= 1 && thrown + refusals == thread_count);
  expect(processor.steps() == thrown && processor.depth() == 0);
  expect(another_enters(processor));
  return expect.result();
}

/// With access checks off, a thread resumes while another one is inside and waits for it, 3 times over: never refused.
template <class Systems>
std::int64_t checks_off() {
  using Processor = typename Systems::Processor;
  Expectations expect;
  Processor processor(AccessChecks::Off);
  Meeting stage(thread_count);
  on_threads(thread_count, [&](unsigned i) {
    const auto enter = [&](const auto &body) {
      try {
        processor.resume(body);
      } catch (const NotOwner &) {
        expect(false);
      }
    };
    const auto let_others_in = [&] {
      for (unsigned turn = 0; turn < thread_count; ++turn) stage.wait();
    };
    if (i == 0) return enter([&](Processor &) { let_others_in(); });
    // One after the other, since nothing but the program keeps them apart.
    for (unsigned turn = 0; turn < thread_count; ++turn) {
      if (turn == i) enter([](Processor &) {});
      stage.wait();
    }
  });
  expect(processor.steps() == thread_count && processor.depth() == 0);
  return expect.result();
}

constexpr std::array all{
    Scenario{"ownership-four-resume-at-once", "", 50, four_resume_at_once<CorrectSystems>},
    Scenario{"ownership-four-resume-at-once", "owner-check-then-set", 50,
             four_resume_at_once<bug::OwnerCheckThenSet>},
    Scenario{"ownership-nested-resumes", "", 100, nested_resumes<CorrectSystems>},
    Scenario{"ownership-nested-resumes", "owner-nested-exit", 100, nested_resumes<bug::OwnerNestedExit>},
    Scenario{"ownership-throwing-bodies", "", 40, throwing_bodies<CorrectSystems>},
    Scenario{"ownership-throwing-bodies", "owner-leak-on-throw", 40, throwing_bodies<bug::OwnerLeakOnThrow>},
    Scenario{"ownership-checks-off", "", 100, checks_off<CorrectSystems>},
    Scenario{"ownership-checks-off", "owner-check-ignored-flag", 100, checks_off<bug::OwnerCheckIgnoredFlag>},
};

}  // namespace

std::span<const Scenario> ownership_scenarios() noexcept { return all; }

}  // namespace threadbare
