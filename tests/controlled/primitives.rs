//! The controller on the primitives of cpp/probes/{lock,thread,library}_probes.cpp, and on what goes wrong with some of them.

use std::collections::BTreeMap;

use threadbare::control::loaded_sanitizer;
use threadbare::model::schedule::{Choice, Injection, Schedule};
use threadbare::model::settings::{Sanitizer, StrategyName};
use threadbare::task_graph::Injections;

use super::harness::{Outcome, PROBES, Test, controlled_engines, settings};
use super::probes::{assert_always, assert_engines_agree, explore, find, replay};

const TESTS: [(&str, fn()); 10] = [
    ("every_primitive_gives_the_same_result_in_every_schedule", correct_probes),
    ("threads_that_end_in_the_middle_unwind_and_leave_nothing_behind", thread_ends),
    ("the_primitives_make_the_same_choices_on_every_engine_and_replay", engines_agree),
    ("a_lock_that_readers_share_does_not_order_them", readers_race),
    ("who_of_readers_and_writers_comes_first_is_a_choice", readers_and_writers),
    ("threads_that_wait_for_good_are_stuck_and_the_schedule_replays", stuck),
    ("a_misuse_ends_the_execution_and_the_schedule_replays", misused),
    ("spurious_wake_ups_happen_where_they_may_and_loops_stand_them", spurious_wake_ups),
    ("weak_compare_exchanges_fail_where_they_may_and_loops_stand_it", weak_failures),
    ("what_is_not_emulated_is_refused_by_name", refused),
];

pub fn tests() -> Vec<Test> {
    TESTS.map(|(name, body)| Test::new(name, PROBES, body)).into()
}

const CORRECT: [(&str, i64); 16] = [
    ("rwlock", 7),
    ("rwlock-errors", 127),
    ("spin-lock", 5),
    ("barrier-rounds", 5),
    ("semaphores", 30),
    ("semaphore-errors", 63),
    ("named-semaphores", 63),
    ("condition-clock", 1),
    ("specific", 1234),
    ("timed-joins", 15),
    ("nested-threads", 100),
    ("c11-threads", 4),
    ("c11-rest", 255),
    ("cpp20", 12),
    ("cpp-rest", 31),
    ("weak-loop", 40),
];

fn correct_probes() {
    for (probe, expected) in CORRECT {
        assert_always(probe, expected);
    }
    for engine in controlled_engines() {
        for (outcome, _, _) in explore("many-thread-locals", &settings(engine, StrategyName::Random), 0..2) {
            assert_eq!(outcome, Ok(500), "{engine:?}");
        }
    }
}

fn thread_ends() {
    assert_always("thread-exit", 14);
    assert_always("c-cleanup", 13);
}

fn engines_agree() {
    for (probe, _) in CORRECT {
        assert_engines_agree(probe, Injections::default(), 10);
    }
    assert_engines_agree("thread-exit", Injections::default(), 10);
}

fn readers_race() {
    for engine in controlled_engines() {
        let runs = explore("rwlock-race", &settings(engine, StrategyName::Random), 0..10);
        let reported = runs.iter().filter(|(_, _, reports)| *reports > 0).count();
        let expected = if loaded_sanitizer() == Sanitizer::Thread { 10 } else { 0 };
        assert_eq!(reported, expected, "{engine:?}");
    }
}

fn readers_and_writers() {
    let runs = assert_engines_agree("rwlock-order", Injections::default(), 200);
    for seen in 1..=3 {
        assert!(runs.iter().any(|(outcome, _, _)| *outcome == Ok(seen)), "{seen}");
    }
}

fn stuck() {
    for probe in ["rwlock-upgrade", "spin-forever", "barrier-short", "semaphore-forever", "c11-lock-order"] {
        for engine in controlled_engines() {
            let schedule = find(probe, engine, "stuck");
            for other in controlled_engines() {
                assert_eq!(replay(probe, other, &schedule), Err("stuck".to_owned()), "{probe}, {other:?}");
            }
        }
    }
}

fn misused() {
    for engine in controlled_engines() {
        let settings = settings(engine, StrategyName::Random);
        let (seen, schedule, _) = explore("unlock-unlocked", &settings, 0..1).remove(0);
        let told = seen.clone().expect_err("a misuse");
        assert!(told.ends_with("misused pthread_mutex_unlock on a mutex that nobody holds"), "{told}");
        for other in controlled_engines() {
            assert_eq!(replay("unlock-unlocked", other, &schedule), seen, "{other:?}");
        }
    }
}

/// Runs in which the injection happened, and others.
fn split(runs: &[(Outcome, Schedule, u32)], injection: Injection) -> BTreeMap<bool, Vec<&Outcome>> {
    let mut split: BTreeMap<bool, Vec<&Outcome>> = BTreeMap::new();
    for (outcome, schedule, reports) in runs {
        assert_eq!(*reports, 0, "a false report");
        let happened = schedule.choices.contains(&Choice::Inject { injection });
        split.entry(happened).or_default().push(outcome);
    }
    split
}

fn spurious_wake_ups() {
    let spurious = Injections::of(&[Injection::SpuriousWakeUp]);
    let runs = assert_engines_agree("spurious-condition", spurious, 300);
    let runs = split(&runs, Injection::SpuriousWakeUp);
    assert!(runs[&true].iter().any(|outcome| **outcome == Ok(2)));
    assert!(runs[&false].iter().all(|outcome| **outcome == Ok(1)));
    let runs = assert_engines_agree("spurious-stood", spurious, 400);
    let happened = split(&runs, Injection::SpuriousWakeUp)[&true].len();
    assert!(happened > 2, "{happened} times");
    assert!(runs.iter().all(|(outcome, _, _)| *outcome == Ok(6)));
    assert!(runs_without("spurious-condition").iter().all(|outcome| *outcome == Ok(1)));
}

fn weak_failures() {
    let weak = Injections::of(&[Injection::WeakFailure]);
    let runs = assert_engines_agree("weak-failure", weak, 100);
    let runs = split(&runs, Injection::WeakFailure);
    assert!(runs[&true].len() > 3 && runs[&true].iter().all(|outcome| matches!(outcome, Ok(0 | 1))));
    assert!(runs[&false].iter().all(|outcome| **outcome == Ok(2)));
    let runs = assert_engines_agree("weak-loop", weak, 40);
    assert!(split(&runs, Injection::WeakFailure)[&true].len() > 5);
    assert!(runs.iter().all(|(outcome, _, _)| *outcome == Ok(40)));
    assert!(runs_without("weak-failure").iter().all(|outcome| *outcome == Ok(2)));
}

/// What comes of a probe where nothing may go wrong.
fn runs_without(probe: &str) -> Vec<Outcome> {
    let settings = settings(controlled_engines()[0], StrategyName::Random);
    explore(probe, &settings, 0..100).into_iter().map(|(outcome, _, _)| outcome).collect()
}

fn refused() {
    for (probe, name) in
        [("timed-signal", "alarm"), ("robust-mutex", "pthread_mutex_lock on a robust or priority mutex")]
    {
        find(probe, controlled_engines()[0], &format!("unsupported {name}"));
    }
}
