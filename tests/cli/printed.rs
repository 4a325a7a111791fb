//! What a program printed last, in the message of the finding that it ended with.

use std::fs;

use crate::check::verdicts;
use crate::command::{CLEAN, FOUND, Workplace};

/// Loses updates, and says so in the way that its argument names.
const SAYS_SO: &str = r#"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

static volatile int count;
static const char *how;

int main(int, char **argv) {
  how = argv[1];
  std::cout << "begin\n";
  std::fprintf(stderr, "of every execution\n");
  auto add = [] { count = count + 1; };
  std::thread first(add), second(add);
  first.join(), second.join();
  if (count == 2) return std::cout << "done" << std::endl, 0;
  if (!std::strcmp(how, "errors")) return std::fprintf(stderr, "\033[31mFAIL\033[0m: count is %d at %p\n", count, (void *)&count), 1;
  if (!std::strcmp(how, "output")) return std::printf("FAIL: count is %d\n", count), 1;
  if (!std::strcmp(how, "abort")) std::cerr << "CHECK failed: count is " << count << std::endl, std::abort();
  throw std::runtime_error("count is " + std::to_string(count));
}
"#;

#[test]
fn what_a_program_printed_last_is_told_with_how_it_ended() {
    let place = Workplace::new();
    place.write("program.cpp", SAYS_SO);
    let of = "--sanitizer none --executions 300 --seed 3 --json out.json --junit out.xml --sarif out.sarif";
    let told = [
        ("errors", "exit-status", "the program ended with status 1: of every execution; FAIL: count is 1 at 0x"),
        ("output", "exit-status", "status 1: of every execution (standard output: FAIL: count is 1)"),
        ("abort", "abort", "abort was called: of every execution; CHECK failed: count is 1 (standard output: begin)"),
        ("throw", "uncaught-exception", "of type std::runtime_error: of every execution; what():  count is 1"),
    ];
    for (how, verdict, message) in told {
        let ran = place.run(&format!("check program.cpp {of} -- {how}")).left_with(FOUND);
        assert!(ran.stdout.contains(message), "{how}: {}", ran.stdout);
        let json = place.json("out.json");
        assert_eq!(verdicts(&json), [verdict], "what was printed has one cause whatever the address: {json}");
        for (file, text) in [("out.json", message), ("out.xml", message), ("out.sarif", message)] {
            let written = fs::read_to_string(place.path().join(file)).expect("it was written");
            assert!(written.contains(text), "{file}: {written}");
        }
    }
    place.run("replay findings").left_with(CLEAN);
}
