use super::*;

fn listed(framework: Framework, printed: &str) -> (Vec<String>, usize) {
    let Listed { tests, disabled } = framework.listed(printed);
    (tests, disabled)
}

#[test]
fn tests_of_googletest_have_suites_instances_and_types_and_may_be_disabled() {
    let printed = "Running main() from gtest_main.cc\nA.\n  Fails\n  DISABLED_No\nT_/0.  # TypeParam = int\n  Typed\n\
                   Some/P.\n  Has/0  # GetParam() = 1\n  Has/1  # GetParam() = 2\nDISABLED_B.\n  One\n";
    let tests = ["A.Fails", "T_/0.Typed", "Some/P.Has/0", "Some/P.Has/1"].map(str::to_owned).to_vec();
    assert_eq!(listed(Framework::Gtest, printed), (tests, 2));
}

#[test]
fn what_a_program_of_googletest_prints_besides_names_no_test() {
    let printed = "CPU Caches:\n  L1 Data 32 KiB (x2)\nA.\n  Works\nRunning:\n  nothing\nB.\n  Works\n";
    assert_eq!(listed(Framework::Gtest, printed).0, ["A.Works", "B.Works"]);
}

#[test]
fn tests_of_catch2_and_doctest_are_lines_each_told_once() {
    let tests = vec!["with, comma [x]".to_owned(), "throws".to_owned()];
    assert_eq!(listed(Framework::Catch2, "with, comma [x]\nthrows\nthrows\n"), (tests.clone(), 0));
    let printed = "[doctest] listing all test case names\n=====\nwith, comma [x]\nthrows\n=====\n[doctest] unskipped \
                   test cases passing the current filters: 2\n";
    assert_eq!(listed(Framework::Doctest, printed), (tests, 0));
}

#[test]
fn tests_of_boost_are_the_leaves_of_a_tree() {
    let printed = "suite*\n    lost*\n    off \n    data*\n        _0*\n        _1*\nsingle*: alone\n";
    let tests = ["suite/lost", "suite/data/_0", "suite/data/_1", "single"].map(str::to_owned).to_vec();
    assert_eq!(listed(Framework::Boost, printed), (tests, 1));
}

#[test]
fn a_test_is_run_alone_whatever_letters_are_in_its_name() {
    let last = |framework: Framework| framework.run_arguments("a, [b]").pop().expect("arguments");
    assert_eq!(last(Framework::Gtest), "--gtest_filter=a, [b]");
    assert_eq!(last(Framework::Catch2), r"a\, \[b\]");
    assert_eq!(last(Framework::Doctest), "--test-case=a? [b]");
    assert_eq!(last(Framework::Boost), "--run_test=a, [b]");
}

#[test]
fn the_first_expectation_that_failed_in_the_last_run_is_told_with_its_place() {
    let failure = |framework: Framework, printed: &str| {
        let Expectation { place, said } = framework.failure(printed).expect("a failure");
        format!("{place}: {said}")
    };
    let printed = "g.cpp:9: Failure\nold\n[==========] 1 test ran.\n[  PASSED  ] 1 test.\ng.cpp:2: Failure\nExpected equality \
                   of these values:\n  n\n    Which is: 1\n  2\nlost\ng.cpp:3: Failure\nValue of: x\n[  FAILED  ] A.Fails\n";
    assert_eq!(
        failure(Framework::Gtest, printed),
        "g.cpp:2: Expected equality of these values:; n; Which is: 1; 2; lost"
    );
    let printed = "c.cpp:4: failed: old\n\nPassed 1 test case with 1 assertion.\n\nc.cpp:4: failed: n == 2 for: 1 == \
                   2\nc.cpp:5: failed: n == 3 for: 1 == 3\nFailed 1 test case, failed both 2 assertions.\n";
    assert_eq!(failure(Framework::Catch2, printed), "c.cpp:4: n == 2 for: 1 == 2");
    let printed = "TEST CASE:  lost\n\nd.cpp:12: FATAL ERROR: REQUIRE( n == 4 ) is NOT correct!\n  values: REQUIRE( 2 == 4 \
                   )\n\n[doctest] Status: FAILURE!\n";
    assert_eq!(
        failure(Framework::Doctest, printed),
        "d.cpp:12: REQUIRE( n == 4 ) is NOT correct!; values: REQUIRE( 2 == 4 )"
    );
    let printed = "b.cpp(9): error: in \"old\": x\nRunning 1 test case...\nb.cpp(12): error: in \"suite/lost\": check n == 3 \
                   has failed [2 != 3]\n";
    assert_eq!(failure(Framework::Boost, printed), "b.cpp:12: in \"suite/lost\": check n == 3 has failed [2 != 3]");
    assert_eq!(Framework::Gtest.failure("[==========] 1 test ran.\n[  PASSED  ] 1 test.\n"), None);
}

#[test]
fn a_pattern_fits_with_anything_in_place_of_its_stars() {
    for (pattern, name, does) in [
        ("Queue.*", "Queue.Pop", true),
        ("*Pop", "Queue.Pop", true),
        ("*e*P*", "Queue.Pop", true),
        ("Queue", "Queue.Pop", false),
        ("*x*", "Queue.Pop", false),
    ] {
        assert_eq!(fits(pattern, name), does, "{pattern}");
    }
}

#[test]
fn a_framework_is_known_by_its_functions() {
    let of = |symbols: &[&str]| Framework::of_symbols(symbols.iter().copied());
    assert_eq!(of(&["main", "_ZN7testing8UnitTest11GetInstanceEv"]), Some(Framework::Gtest));
    assert_eq!(of(&["_ZN5Catch5clara6detail4ArgsD2Ev"]), Some(Framework::Catch2));
    assert_eq!(of(&["_ZN5Catch5Clara6ParserC1Ev"]), Some(Framework::Catch3));
    assert_eq!(of(&["main", "_ZN5boost6system"]), None);
    for framework in Framework::ALL {
        assert_eq!(framework.word().parse(), Ok(framework));
    }
}
