//! Programs of test frameworks, explored test by test.

use std::fs;

use crate::command::{CLEAN, COULD_NOT, FOUND, Ran, Workplace};

/// GoogleTest's own code is a library, as it is installed.
const COUNTER: &str = r#"
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

static std::atomic<int> count{0};

static void twice(void (*add)()) {
  std::thread first(add), second(add);
  first.join();
  second.join();
}

TEST(Counter, LosesUpdates) {
  ASSERT_EQ(count.load(), 0) << "as in a process of its own";
  twice([] { count = count + 1; });
  EXPECT_EQ(count.load(), 2) << "an update was lost";
}

TEST(Counter, CountsEach) {
  twice([] { ++count; });
  EXPECT_EQ(count.load(), 2);
}

TEST(Counter, StartsNoThread) { EXPECT_EQ(count.load(), 0); }

TEST(Counter, DISABLED_Fails) { FAIL(); }

class From : public testing::TestWithParam<int> {};
TEST_P(From, Counts) {
  count = GetParam();
  twice([] { ++count; });
  EXPECT_EQ(count.load(), GetParam() + 2);
}
INSTANTIATE_TEST_SUITE_P(Some, From, testing::Values(1, 2));

TEST(CounterDeathTest, Forks) {
  EXPECT_DEATH({ throw std::runtime_error("dead"); }, "");
}

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
"#;

/// Speaks the command lines of frameworks that are headers, which take long to compile, and prints what they print.
const STAND_IN: &str = r#"
#include <stdio.h>
#include <string.h>
#include <pthread.h>

static volatile int count;
static void *add(void *unused) {
  (void)unused;
  count = count + 1;
  return NULL;
}

static int has(int argc, char **argv, const char *word) {
  for (int i = 1; i < argc; ++i)
    if (strcmp(argv[i], word) == 0) return 1;
  return 0;
}

int main(int argc, char **argv) {
  if (has(argc, argv, "--list-test-names-only")) return puts("loses, [x]"), puts("idle"), 2;
  if (has(argc, argv, "--list-tests") && has(argc, argv, "quiet")) return puts("loses, [x]"), puts("idle"), 0;
  if (has(argc, argv, "--list-test-cases")) return puts("[doctest] listing\n=====\nloses, [x]\nidle"), 0;
  if (has(argc, argv, "--list_content=HRF")) return fputs("suite*\n    loses*\n    off \nidle*\n", stderr), 0;
  const int catch2 = has(argc, argv, "loses\\, \\[x\\]"), doctest = has(argc, argv, "--test-case=loses? [x]");
  const int boost = has(argc, argv, "--run_test=suite/loses");
  if (has(argc, argv, "--run_test=suite/loses") || has(argc, argv, "--run_test=idle")) puts("Running 1 test case...");
  if (catch2 || doctest || boost) {
    pthread_t threads[2];
    for (int i = 0; i < 2; ++i) pthread_create(&threads[i], NULL, add, NULL);
    for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
    if (count != 2) {
      if (catch2) printf("\nt.cpp:7: failed: count == 2 for: %d == 2\nFailed 1 test case.\n", count);
      if (doctest) printf("\nt.cpp:7: ERROR: CHECK( count == 2 ) is NOT correct!\n  values: CHECK( %d == 2 )\n\n", count);
      if (boost) printf("t.cpp(7): error: in \"suite/loses\": check count == 2 has failed [%d != 2]\n", count);
      return 1;
    }
  } else if (!has(argc, argv, "idle") && !has(argc, argv, "--test-case=idle") && !has(argc, argv, "--run_test=idle")) {
    return 3;
  }
  if (!boost && !doctest) puts("\nPassed 1 test case with 1 assertion.");
  return 0;
}
"#;

/// A program that makes many plain accesses before its threads, and after them.
const PHASES: &str = r"
#include <pthread.h>
static int table[1000], sum;
static void *work(void *unused) { return ++sum, unused; }
int main(int argc, char **argv) {
  (void)argv;
  pthread_t thread;
  for (int i = 0; i < 1000; ++i) table[i] = i;
  pthread_create(&thread, 0, work, 0);
  if (argc > 1) {
    pthread_detach(thread);
  } else {
    pthread_join(thread, 0);
  }
  for (int i = 0; i < 1000; ++i) table[i] = i;
  return 0;
}
";

fn line<'a>(ran: &'a Ran, beginning: &str) -> &'a str {
    let found = ran.stdout.lines().find(|line| line.starts_with(beginning));
    found.unwrap_or_else(|| panic!("no line begins with {beginning:?}: {ran:?}"))
}

#[test]
fn each_test_of_googletest_is_a_target_that_tells_which_expectation_failed() {
    let place = Workplace::new();
    place.write("counter_test.cpp", COUNTER);
    let options = "--flags=-lgtest --each-test --sanitizer none --executions 300 --seed 3 --jobs 1";
    let outputs = "--junit tests.xml --sarif tests.sarif --json tests.json";
    let ran = place.run(&format!("check counter_test.cpp {options} {outputs}"));
    assert_eq!(ran.code, Some(FOUND), "{ran:?}");
    assert_eq!(line(&ran, "counter_test: 6"), "counter_test: 6 tests of gtest, 1 disabled");
    for (test, result) in [
        ("Counter.LosesUpdates", "300 executions, 1 finding"),
        ("Counter.CountsEach", "300 executions, nothing found"),
        ("Counter.StartsNoThread", "no second thread; 1 execution, nothing found"),
        ("Some/From.Counts/1", "300 executions, nothing found"),
    ] {
        let begins = format!("counter_test: {test}: ");
        assert_eq!(line(&ran, &begins), format!("{begins}{result}"));
    }
    assert!(line(&ran, "counter_test: CounterDeathTest.Forks: ").contains("not emulated: "), "{ran:?}");
    let said = "failed expectation at counter_test.cpp:19: Expected equality of these values:; count.load(); Which is: 1; 2; \
                an update was lost";
    assert!(ran.stdout.contains(said), "{ran:?}");

    let cases = place.cases("findings");
    let [case] = cases.as_slice() else { panic!("{cases:?}") };
    assert!(case.display().to_string().contains("counter_test-Counter.LosesUpdates-"), "{cases:?}");
    let text = fs::read_to_string(case).expect("a case");
    assert!(text.contains("  test gtest \"Counter.LosesUpdates\"\n"), "{text}");
    place.run(&format!("replay {}", case.display())).left_with(CLEAN);
    for (file, named) in [
        ("tests.xml", "testsuite name=\"counter_test: Counter.LosesUpdates\""),
        ("tests.xml", "message=\"failed-assertion: failed expectation at counter_test.cpp:19: "),
        ("tests.sarif", "\"name\": \"counter_test: Counter.CountsEach\""),
        ("tests.json", "\"counter_test: Some/From.Counts/0\""),
    ] {
        let text = fs::read_to_string(place.path().join(file)).expect("it was written");
        assert!(text.contains(named), "no {named} in {text}");
    }

    let ran = place.run(&format!("check counter_test.cpp {options} --test Some/*"));
    assert_eq!(ran.code, Some(CLEAN), "{ran:?}");
    assert_eq!(line(&ran, "counter_test: 2"), "counter_test: 2 tests of gtest, 1 disabled, 4 not asked for");
    let ran = place.run(&format!("check counter_test.cpp {options} --test Nothing"));
    assert_eq!(ran.code, Some(COULD_NOT), "{ran:?}");
    assert!(ran.stderr.contains("none of its 6 tests is called Nothing"), "{ran:?}");

    let program = "sources = [\"counter_test.cpp\"]\nflags = [\"-lgtest\"]\neach-test = \"auto\"\ntests = [\"Counter.C*\", \"*/0\"]\n";
    place.write("threadbare.toml", &format!("[program.counter]\n{program}"));
    let ran = place.run("ci --sanitizer none --executions 100 --seed 3 --jobs 1");
    assert_eq!(ran.code, Some(CLEAN), "{ran:?}");
    for test in [
        "counter: 2 tests of gtest, 1 disabled, 4 not asked for",
        "counter: Counter.CountsEach",
        "counter: Some/From.Counts/0",
    ] {
        line(&ran, test);
    }
}

#[test]
fn tests_of_other_frameworks_are_listed_run_and_judged_by_their_command_lines() {
    let place = Workplace::new();
    place.write("tests.c", STAND_IN);
    for (framework, test, said) in [
        ("catch2", "loses, [x]", "count == 2 for: 1 == 2"),
        ("catch3", "loses, [x]", "count == 2 for: 1 == 2"),
        ("doctest", "loses, [x]", "CHECK( count == 2 ) is NOT correct!; values: CHECK( 1 == 2 )"),
        ("boost", "suite/loses", "in \"suite/loses\": check count == 2 has failed [1 != 2]"),
    ] {
        let options = "--sanitizer none --executions 200 --seed 3 --jobs 1 --points memory";
        let ran = place.run(&format!("check tests.c --each-test={framework} {options}"));
        assert_eq!(ran.code, Some(FOUND), "{ran:?}");
        assert_eq!(line(&ran, "tests: idle: "), "tests: idle: no second thread; 1 execution, nothing found");
        assert_eq!(line(&ran, &format!("tests: {test}: ")), format!("tests: {test}: 200 executions, 1 finding"));
        assert!(ran.stdout.contains(&format!("failed expectation at t.cpp:7: {said}")), "{ran:?}");
    }
    let ran = place.run("check tests.c --each-test --sanitizer none --executions 1");
    assert_eq!(ran.code, Some(COULD_NOT), "{ran:?}");
    assert!(ran.stderr.contains("no framework of tests was found in it"), "{ran:?}");
}

#[test]
fn plain_accesses_are_points_only_where_another_thread_was_not_joined() {
    let place = Workplace::new();
    place.write("phases.c", PHASES);
    let points = |arguments: &str| {
        let options = "--sanitizer none --executions 100 --seed 3 --jobs 1 --json out.json";
        let ran = place.run(&format!("check phases.c {options}{arguments}"));
        assert_eq!(ran.code, Some(CLEAN), "{ran:?}");
        place.json("out.json")["runs"][0]["points"].as_u64().expect("points") / 100
    };
    let (joined, detached) = (points(""), points(" -- detached"));
    assert!(joined < 20, "{joined}");
    assert!((1000..2000).contains(&detached), "{detached}");
}

#[test]
fn a_program_that_does_not_come_to_name_all_its_tests_is_refused() {
    let place = Workplace::new();
    let source = "#include <stdio.h>\nstatic volatile int n;\n\
                  int main(void) {\n  puts(\"A.\\n  Works\");\n  for (;;) n = n + 1;\n}\n";
    place.write("tests.c", source);
    let ran = place.run("check tests.c --each-test=gtest --sanitizer none --executions 2 --jobs 1");
    assert_eq!(ran.code, Some(COULD_NOT), "{ran:?}");
    assert!(ran.stderr.contains("cannot be asked for its tests: the program did not end within"), "{ran:?}");
}
