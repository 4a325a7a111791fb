//! Executions under weak memory models: what is found under which, that it replays, and what a search of all of them says.

use std::fs;

use crate::command::{CLEAN, FOUND, Workplace, engines, sanitizers};

const SOURCE: &str = include_str!("weak_memory.cpp");

fn place() -> Workplace {
    let place = Workplace::new();
    place.write("program.cpp", SOURCE);
    place
}

/// The programs of weak_memory.cpp, and whether `tso` and `cpp20` show that they are wrong.
const PROGRAMS: [(&str, bool, bool); 26] = [
    ("store-buffering", true, true),
    ("store-buffering-seq-cst", false, false),
    ("store-buffering-fences", false, false),
    ("store-buffering-exchange", false, true),
    ("message-relaxed-store", false, true),
    ("message-relaxed-load", false, true),
    ("message", false, false),
    ("message-fences", false, false),
    ("message-fences-turned", false, true),
    ("release-sequence", false, false),
    ("release-sequence-broken", false, true),
    ("independent-reads", false, true),
    ("independent-reads-seq-cst", false, false),
    ("two-and-two-writes", false, true),
    ("coherence", false, false),
    ("failed-exchange-acquire", false, false),
    ("failed-exchange-relaxed", false, true),
    ("counted", false, false),
    ("locked", false, false),
    ("used-again", false, false),
    ("mixed-sizes", false, false),
    ("wide", false, false),
    ("wide-relaxed", false, true),
    ("waited", false, false),
    ("spun", false, false),
    ("initialised-once", false, false),
];

#[test]
fn each_program_fails_under_the_memory_models_that_allow_it_and_under_no_other() {
    let place = place();
    for (program, tso, cpp20) in PROGRAMS {
        for (memory, fails) in [("sc", false), ("tso", tso), ("cpp20", cpp20)] {
            let ran = place.run(&format!(
                "check program.cpp --memory {memory} --sanitizer none --executions 1000 --seed 3 --stop-at-first --findings {memory} -- {program}"
            ));
            assert_eq!(ran.code, Some(if fails { FOUND } else { CLEAN }), "{program} under {memory}: {}", ran.stdout);
            assert!(!ran.stdout.contains("unconfirmed"), "{program} under {memory}: {}", ran.stdout);
        }
    }
}

#[test]
fn a_finding_names_the_model_that_it_was_found_under_and_replays_with_both_engines_under_every_sanitizer() {
    let place = place();
    let ran = place.run("check program.cpp --sanitizer none --executions 400 --seed 1 --stop-at-first --minimise 20 -- message-relaxed-store");
    let ran = ran.left_with(FOUND);
    assert!(ran.stdout.contains("(none, under cpp20, execution "), "{}", ran.stdout);
    assert!(ran.stdout.contains("loads x (0, an older store)"), "{}", ran.stdout);
    let case =
        fs::read_dir(place.path().join("findings")).expect("findings").next().expect("a case").expect("a case").path();
    let text = fs::read_to_string(&case).expect("a case");
    assert!(text.contains("\nmemory cpp20\n"), "{text}");
    assert_eq!(text.matches("older*").count(), 1, "one load reads an older store, and no other: {text}");
    for engine in engines() {
        for sanitizer in sanitizers() {
            place.run(&format!("replay {} --engine {engine} --sanitizer {sanitizer}", case.display())).left_with(CLEAN);
        }
    }
}

#[test]
fn the_default_has_a_share_of_weak_executions_and_sc_turns_it_off() {
    let place = place();
    let check = |memory: &str| {
        let flags = "--sanitizer none --executions 400 --seed 1 --stop-at-first";
        place.run(&format!("check program.cpp {flags} {memory} -- message-relaxed-store")).code
    };
    assert_eq!((check(""), check("--memory sc")), (Some(FOUND), Some(CLEAN)));
    place.write(
        "threadbare.toml",
        "[program.message]\nsources = [\"program.cpp\"]\narguments = [\"message-relaxed-store\"]\nmemory = \"sc\"\n",
    );
    place.run("check message --sanitizer none --executions 400 --seed 1").left_with(CLEAN);
}

/// Its AddressSanitizer's checks do not tell atomic operations from others.
#[test]
fn with_gxx_and_addresssanitizer_another_model_than_interleavings_is_refused() {
    let place = place();
    let check = "check program.cpp --cxx g++ --sanitizer address --executions 100";
    place.run(&format!("{check} --memory tso -- store-buffering")).refused(&["executions are interleavings", "clang"]);
    place.run(&format!("{check} --memory sc -- store-buffering")).left_with(CLEAN);
    place.run(&format!("{check} -- message-relaxed-store")).left_with(CLEAN);
}

#[test]
fn a_search_of_all_executions_tries_every_store_that_can_be_read() {
    let place = place();
    let search = |memory: &str, program: &str| {
        place.run(&format!(
            "check program.cpp --memory {memory} --sanitizer none --strategy exhaustive --executions 20000 -- {program}"
        ))
    };
    for (program, tso, cpp20) in
        [("store-buffering", true, true), ("store-buffering-fences", false, false), ("message", false, false)]
    {
        for (memory, fails) in [("sc", false), ("tso", tso), ("cpp20", cpp20)] {
            let ran = search(memory, program);
            assert_eq!(ran.code, Some(if fails { FOUND } else { CLEAN }), "{program} under {memory}: {}", ran.stdout);
            assert!(
                fails || ran.stdout.contains("every schedule was tried"),
                "{program} under {memory}: {}",
                ran.stdout
            );
        }
    }
}

/// ThreadSanitizer takes no notice of fences, and has a load acquire what was ever released there.
#[test]
fn races_are_those_of_the_memory_model_also_where_executions_are_interleavings() {
    let place = Workplace::new();
    let program = r"
#include <atomic>
#include <thread>
int data;
std::atomic<int> ready{0};
int main() {
  std::thread writer([] {
    data = 1;
    if (FENCE) std::atomic_thread_fence(std::memory_order_release);
    ready.store(1, FENCE ? std::memory_order_relaxed : std::memory_order_release);
    if (BREAKS) ready.store(2, std::memory_order_relaxed);
  });
  std::thread reader([] {
    if (ready.load(FENCE ? std::memory_order_relaxed : std::memory_order_acquire) != (BREAKS ? 2 : 1)) return;
    if (FENCE) std::atomic_thread_fence(std::memory_order_acquire);
    data = 2;
  });
  writer.join();
  reader.join();
}
";
    place.write("program.cpp", program);
    for (fence, breaks, code) in [(1, 0, CLEAN), (0, 0, CLEAN), (0, 1, FOUND)] {
        for memory in ["sc", "cpp20"] {
            let ran = place.run_in(
                "",
                &format!(
                    "check program.cpp --memory {memory} --sanitizer thread --executions 1000 --seed 2 --stop-at-first"
                ),
                &["--flags", &format!("-DFENCE={fence} -DBREAKS={breaks}")],
            );
            assert_eq!(
                ran.code,
                Some(code),
                "fence {fence}, breaks {breaks} under {memory}: {}{}",
                ran.stdout,
                ran.stderr
            );
        }
    }
}
