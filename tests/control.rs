//! The controller on small C++ programs (cpp/harness/probes.cpp), each primitive by itself.

mod under_control;

use std::collections::BTreeMap;

use threadbare::build_info;
use threadbare::control::Mode;
use threadbare::schedule::Schedule;
use threadbare::settings::{Engine, Sanitizer, Settings, StrategyName};

use under_control::{Outcome, Test, controlled_engines, open, outcome, settings};

const TESTS: [(&str, fn()); 9] = [
    ("correct_probes_give_the_same_result_in_every_schedule", correct_probes),
    ("a_check_apart_from_its_act_shows_in_some_schedules_and_not_in_others", check_then_act),
    ("one_seed_makes_the_same_choices_on_every_engine_and_replays_on_every_engine", engines_agree),
    ("a_schedule_of_another_program_diverges", divergence),
    ("threads_that_wait_for_good_are_stuck_and_the_schedule_replays", stuck),
    ("what_never_ends_runs_out_of_steps", livelock),
    ("what_is_not_emulated_is_refused_by_name", refused),
    ("five_hundred_threads_run_under_control", many_threads),
    ("a_data_race_is_reported_exactly_where_the_sanitizer_can_see_it", data_race),
];

fn main() {
    under_control::run(TESTS.map(|(name, body)| Test::new(name, body)).into());
}

/// Runs a probe under schedules with these seeds, until one is stopped midway.
fn explore(name: &str, settings: &Settings, seeds: std::ops::Range<u64>) -> Vec<(Outcome, Schedule, u32)> {
    let mut session = open(settings);
    let mut outcomes = Vec::new();
    for seed in seeds {
        if session.is_spent() {
            break;
        }
        let (result, execution) = session.probe(name, seed, Mode::Explore { seed });
        let (outcome, reports) = (outcome(result, execution), execution.reports);
        outcomes.push((outcome, session.schedule(), reports));
    }
    outcomes
}

/// Runs the probe in 60 schedules of every engine and strategy.
fn assert_always(probe: &str, expected: i64) {
    for engine in controlled_engines() {
        for strategy in [StrategyName::Random, StrategyName::Pct] {
            for (seed, (outcome, _, reports)) in explore(probe, &settings(engine, strategy), 0..60).iter().enumerate() {
                assert_eq!(*outcome, Ok(expected), "{probe}, {engine:?}, {strategy:?}, seed {seed}");
                assert_eq!(*reports, 0, "{probe}, {engine:?}, {strategy:?}, seed {seed}: a false report");
            }
        }
    }
}

/// Looks for a schedule in which the probe is stopped with `expected`.
fn find(probe: &str, engine: Engine, expected: &str) -> Schedule {
    let found = explore(probe, &settings(engine, StrategyName::Random), 0..300).pop().expect("some schedules");
    assert_eq!(found.0, Err(expected.to_owned()), "{probe}, {engine:?}");
    found.1
}

fn correct_probes() {
    for (probe, expected) in [
        ("mutex-counter", 4),
        ("condition-queue", 6),
        ("atomic-wait", 3),
        ("exceptions", 10),
        ("thread-locals", 44),
        ("call-once", 12),
        ("timed", 1),
        ("mutex-kinds", 7),
        ("library", 1),
        ("spin", 1),
    ] {
        assert_always(probe, expected);
    }
}

fn check_then_act() {
    for engine in controlled_engines() {
        let mut histogram = BTreeMap::new();
        for (outcome, _, _) in explore("check-then-act", &settings(engine, StrategyName::Random), 0..500) {
            *histogram.entry(outcome.expect("it ends")).or_insert(0) += 1;
        }
        assert!(histogram[&1] > 20, "{engine:?}: {histogram:?}");
        assert!(histogram[&2] > 20, "{engine:?}: {histogram:?}");
    }
}

fn engines_agree() {
    for probe in ["check-then-act", "condition-queue", "atomic-wait", "library", "timed", "call-once"] {
        let runs: Vec<_> = controlled_engines()
            .into_iter()
            .map(|engine| (engine, explore(probe, &settings(engine, StrategyName::Random), 0..40)))
            .collect();
        for (engine, run) in &runs {
            assert_eq!(*run, runs[0].1, "{probe}, {engine:?}");
            for (other, _) in &runs {
                let mut session = open(&settings(*other, StrategyName::Random));
                for (expected, schedule, _) in run {
                    let (result, execution) = session.probe(probe, 0, Mode::Replay(schedule));
                    assert_eq!(outcome(result, execution), *expected, "{probe}, {engine:?} on {other:?}");
                    assert_eq!(session.schedule(), *schedule, "{probe}, {engine:?} on {other:?}");
                }
            }
        }
    }
}

fn divergence() {
    for engine in controlled_engines() {
        let settings = settings(engine, StrategyName::Random);
        let (_, mut schedule, _) = explore("condition-queue", &settings, 7..8).remove(0);
        let (result, execution) = {
            let mut session = open(&settings);
            let (result, execution) = session.probe("mutex-counter", 0, Mode::Replay(&schedule));
            (result, execution.clone())
        };
        let Err(message) = outcome(result, &execution) else { panic!("{engine:?}: it does not fit") };
        assert!(message.starts_with("diverged at step"), "{message}");

        schedule.choices.pop();
        let mut session = open(&settings);
        let (result, execution) = session.probe("condition-queue", 0, Mode::Replay(&schedule));
        let Err(message) = outcome(result, execution) else { panic!("{engine:?}: it is cut short") };
        assert!(message.contains("the schedule ends here"), "{message}");
    }
}

fn stuck() {
    for engine in controlled_engines() {
        for probe in ["lost-notify", "lock-order"] {
            let schedule = find(probe, engine, "stuck");
            let mut session = open(&settings(engine, StrategyName::Random));
            let (result, execution) = session.probe(probe, 0, Mode::Replay(&schedule));
            assert_eq!(outcome(result, execution), Err("stuck".to_owned()));
        }
    }
}

fn livelock() {
    find("livelock", controlled_engines()[0], "out of steps");
}

fn refused() {
    find("refused", controlled_engines()[0], "unsupported pthread_rwlock_rdlock");
}

fn many_threads() {
    for engine in controlled_engines() {
        for (outcome, _, _) in explore("many-threads", &settings(engine, StrategyName::Random), 0..3) {
            assert_eq!(outcome, Ok(500), "{engine:?}");
        }
    }
}

fn data_race() {
    for engine in controlled_engines() {
        let runs = explore("data-race", &settings(engine, StrategyName::Random), 0..20);
        let reported = runs.iter().filter(|(_, _, reports)| *reports > 0).count();
        let expected = if build_info::SANITIZER == Sanitizer::Thread { 20 } else { 0 };
        assert_eq!(reported, expected, "{engine:?}");
    }
}
