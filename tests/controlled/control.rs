//! The controller on small C++ programs (cpp/probes/probes.cpp), each primitive by itself.

use std::collections::BTreeMap;

use threadbare::control::{Mode, Session, loaded_sanitizer};
use threadbare::model::schedule::{Choice, Injection, Schedule};
use threadbare::model::settings::{Engine, Sanitizer, StrategyName};
use threadbare::task_graph::Injections;

use super::harness::{Outcome, PROBES, Test, controlled_engines, open_probes, outcome, settings};
use super::probes::{STRATEGIES, assert_always, assert_engines_agree, explore, find, replay};

const TESTS: [(&str, fn()); 19] = [
    ("correct_probes_give_the_same_result_in_every_schedule", correct_probes),
    ("a_check_apart_from_its_act_shows_in_some_schedules_and_not_in_others", check_then_act),
    ("one_seed_makes_the_same_choices_on_every_engine_and_replays_on_every_engine", engines_agree),
    ("every_strategy_makes_the_same_choices_on_every_engine", strategies_agree),
    ("exhaustive_comes_to_an_end_with_every_outcome", every_outcome),
    ("a_schedule_of_another_program_diverges", divergence),
    ("threads_that_wait_for_good_are_stuck_and_the_schedule_replays", stuck),
    ("what_never_ends_runs_out_of_steps", livelock),
    ("what_is_not_emulated_is_refused_by_name", refused),
    ("five_hundred_threads_run_under_control", many_threads),
    ("a_data_race_is_reported_exactly_where_the_sanitizer_can_see_it", data_race),
    ("file_calls_are_points_that_replay_on_every_engine", file_points),
    ("a_file_lock_excludes_and_two_orders_of_two_are_a_deadlock", file_locks),
    ("a_file_lock_that_is_shared_does_not_order_its_holders", file_lock_is_shared),
    ("every_file_error_is_injected_and_replays_with_what_it_left", file_errors),
    ("a_short_write_writes_half", short_writes),
    ("a_crash_leaves_the_files_as_they_were_at_its_point", crashes),
    ("what_a_target_left_open_is_closed_and_its_directory_emptied_and_removed", files_left),
    ("each_allocation_of_a_target_can_fail_and_nothing_is_lost", allocations),
];

pub fn tests() -> Vec<Test> {
    TESTS.map(|(name, body)| Test::new(name, PROBES, body)).into()
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
        assert_engines_agree(probe, Injections::default(), 40);
    }
}

fn strategies_agree() {
    for strategy in STRATEGIES {
        for probe in ["check-then-act", "condition-queue", "timed"] {
            let runs =
                controlled_engines().into_iter().map(|engine| explore(probe, &settings(engine, strategy), 0..60));
            let runs: Vec<_> = runs.collect();
            assert!(runs.iter().all(|run| *run == runs[0]), "{probe}, {strategy}");
        }
    }
}

fn every_outcome() {
    for (strategy, probe, expected) in [
        (StrategyName::Exhaustive, "spin", vec![Ok(1)]),
        (StrategyName::Exhaustive, "trywait-spin", vec![Ok(1)]),
        (StrategyName::Exhaustive, "trywait-drain", (0..=6).map(Ok).collect()),
        (StrategyName::Exhaustive, "tryjoin-spin", vec![Ok(1)]),
        (StrategyName::Exhaustive, "file-spin", vec![Ok(1)]),
        (StrategyName::Exhaustive, "flock-spin", vec![Ok(1)]),
        (StrategyName::Exhaustive, "parts-spin", vec![Ok(1)]),
        (StrategyName::Exhaustive, "file-closed", vec![Ok(0), Ok(1)]),
        (StrategyName::Exhaustive, "file-reads", (0..=6).map(Ok).collect()),
        (StrategyName::ExhaustiveWithin(0), "check-then-act", vec![Ok(1)]),
        (StrategyName::ExhaustiveWithin(1), "check-then-act", vec![Ok(1), Ok(2)]),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut session = open_probes(&settings(controlled_engines()[0], strategy));
        session.set_directory(folder.path().join("files")).expect("a directory");
        let mut outcomes = BTreeMap::new();
        let mut executions = 0;
        while !session.search_ended() {
            assert!(executions < 20_000, "{strategy}, {probe}: {outcomes:?}");
            let (result, execution) = session.probe(probe, executions, Mode::Explore { seed: 0 });
            *outcomes.entry(outcome(result, execution)).or_insert(0) += 1;
            executions += 1;
        }
        eprintln!("{strategy}: {executions} executions, {outcomes:?}");
        assert!(outcomes.keys().eq(&expected), "{strategy}, {probe}: {outcomes:?}");
    }
}

fn divergence() {
    for engine in controlled_engines() {
        let settings = settings(engine, StrategyName::Random);
        let (_, mut schedule, _) = explore("condition-queue", &settings, 7..8).remove(0);
        let (result, execution) = {
            let mut session = open_probes(&settings);
            let (result, execution) = session.probe("mutex-counter", 0, Mode::Replay(&schedule));
            (result, execution.clone())
        };
        let Err(message) = outcome(result, &execution) else { panic!("{engine:?}: it does not fit") };
        assert!(message.starts_with("diverged at step"), "{message}");

        schedule.choices.pop();
        let mut session = open_probes(&settings);
        let (result, execution) = session.probe("condition-queue", 0, Mode::Replay(&schedule));
        let Err(message) = outcome(result, execution) else { panic!("{engine:?}: it is cut short") };
        assert!(message.contains("the schedule ends here"), "{message}");
    }
}

fn stuck() {
    for engine in controlled_engines() {
        for probe in ["lost-notify", "lock-order"] {
            let schedule = find(probe, engine, "stuck");
            assert_eq!(replay(probe, engine, &schedule), Err("stuck".to_owned()));
        }
    }
}

fn livelock() {
    find("livelock", controlled_engines()[0], "out of steps");
}

fn refused() {
    find("refused", controlled_engines()[0], "unsupported pthread_cancel");
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
        let expected = if loaded_sanitizer() == Sanitizer::Thread { 20 } else { 0 };
        assert_eq!(reported, expected, "{engine:?}");
    }
}

/// The name and content of each file.
type Files = Vec<(String, Vec<u8>)>;

/// One execution of a probe that uses files, with all that can be told of it.
#[derive(Clone, Debug, PartialEq)]
struct FileRun {
    outcome: Outcome,
    schedule: Schedule,
    files: Files,
    reports: u32,
}

/// A session whose target has a directory, and the folder that it is in.
fn open_with_files(engine: Engine, injections: Injections) -> (Session, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut session = open_probes(&settings(engine, StrategyName::Random));
    session.set_directory(folder.path().join("files")).expect("a directory");
    session.set_injections(injections);
    (session, folder)
}

fn run_with_files(session: &mut Session, probe: &str, mode: Mode<'_>) -> FileRun {
    let (result, execution) = session.probe(probe, 0, mode);
    let (outcome, reports) = (outcome(result, execution), execution.reports);
    FileRun { outcome, reports, schedule: session.schedule(), files: session.files_left() }
}

/// Runs a probe with these seeds. A new session follows each execution that was stopped midway.
fn explore_files(probe: &str, engine: Engine, injections: Injections, seeds: std::ops::Range<u64>) -> Vec<FileRun> {
    let mut opened: Option<(Session, tempfile::TempDir)> = None;
    let mut runs = Vec::new();
    for seed in seeds {
        let (mut session, folder) = opened.take().unwrap_or_else(|| open_with_files(engine, injections));
        runs.push(run_with_files(&mut session, probe, Mode::Explore { seed }));
        opened = (!session.is_spent()).then_some((session, folder));
    }
    runs
}

/// Explores on every engine, and asserts that they agree and replay each other's schedules.
fn explore_files_everywhere(probe: &str, injections: Injections, count: u64) -> Vec<FileRun> {
    let engines = controlled_engines();
    let runs = explore_files(probe, engines[0], injections, 0..count);
    for &engine in &engines {
        assert_eq!(explore_files(probe, engine, injections, 0..count), runs, "{probe}, {engine:?}");
        let mut opened: Option<(Session, tempfile::TempDir)> = None;
        for run in &runs {
            let (mut session, folder) = opened.take().unwrap_or_else(|| open_with_files(engine, injections));
            let again = run_with_files(&mut session, probe, Mode::Replay(&run.schedule));
            assert_eq!(again, *run, "{probe}, {engine:?}");
            opened = (!session.is_spent()).then_some((session, folder));
        }
    }
    runs
}

fn injected(run: &FileRun, wanted: Injection) -> bool {
    run.schedule.choices.contains(&Choice::Inject { injection: wanted })
}

fn file_points() {
    for (probe, expected) in [("file-calls", 3), ("file-exclusive", 1)] {
        for run in explore_files_everywhere(probe, Injections::default(), 40) {
            assert_eq!((run.outcome, run.reports), (Ok(expected), 0), "{probe}");
        }
    }
    let runs = explore_files_everywhere("file-check-then-act", Injections::default(), 100);
    for winners in [1, 2] {
        assert!(runs.iter().filter(|run| run.outcome == Ok(winners)).count() > 10, "{winners} winners");
    }
}

fn file_locks() {
    for (probe, expected) in [("flock-counter", 4), ("flock-kinds", 31), ("parts-counter", 4), ("parts-kinds", 15)] {
        for run in explore_files_everywhere(probe, Injections::default(), 40) {
            assert_eq!((run.outcome, run.reports), (Ok(expected), 0), "{probe}");
        }
    }
    for run in explore_files_everywhere("flock-readers", Injections::default(), 60) {
        assert_eq!((run.outcome, run.reports), (Ok(2), 0));
    }
    for probe in ["flock-order", "parts-order"] {
        let runs = explore_files_everywhere(probe, Injections::default(), 60);
        let stuck = runs.iter().filter(|run| run.outcome == Err("stuck".to_owned())).count();
        let ended = runs.iter().filter(|run| run.outcome == Ok(1)).count();
        assert!(stuck > 3 && ended > 3 && stuck + ended == 60, "{probe}: {stuck} stuck, {ended} ended");
    }
}

fn file_lock_is_shared() {
    for engine in controlled_engines() {
        let runs = explore_files("flock-race", engine, Injections::default(), 0..10);
        let reported = runs.iter().filter(|run| run.reports > 0).count();
        let expected = if loaded_sanitizer() == Sanitizer::Thread { 10 } else { 0 };
        assert_eq!(reported, expected, "{engine:?}");
    }
}

/// What "state" may hold after `file-replace`, wherever that failed.
fn assert_whole(run: &FileRun) {
    if let Some((_, content)) = run.files.iter().find(|(name, _)| name == "state") {
        assert!(content == b"the first text" || content == b"and the second one", "{run:?}");
    }
}

fn file_errors() {
    let both = Injections::of(&[Injection::Eio, Injection::Enospc]);
    let runs = explore_files_everywhere("file-replace", both, 100);
    for run in &runs {
        assert_whole(run);
        assert!(run.files.iter().all(|(name, _)| name == "state"), "{run:?}");
        // The last error that the probe saw before it cleaned up; what it removes may fail too.
        let told = [Ok(0), Ok(libc::EIO.into()), Ok(libc::ENOSPC.into())];
        assert!(told.contains(&run.outcome), "{run:?}");
        let failed = injected(run, Injection::Eio) || injected(run, Injection::Enospc);
        assert_eq!(run.outcome != Ok(0), failed, "{run:?}");
    }
    for error in [0, libc::EIO, libc::ENOSPC] {
        assert!(runs.iter().any(|run| run.outcome == Ok(error.into())), "{error}");
    }
    for run in explore_files_everywhere("file-replace", Injections::default(), 5) {
        assert_eq!(run.files, [("state".to_owned(), b"and the second one".to_vec())]);
    }
}

fn short_writes() {
    let short = Injections::of(&[Injection::ShortWrite]);
    let runs = explore_files_everywhere("file-write-once", short, 100);
    for (written, is_short) in [(8, false), (4, true)] {
        let content = b"12345678"[..written].to_vec();
        let files = vec![("once".to_owned(), content)];
        let such: Vec<_> = runs.iter().filter(|run| injected(run, Injection::ShortWrite) == is_short).collect();
        assert!(such.len() > 1, "{is_short}");
        assert!(such.iter().all(|run| run.outcome == Ok(written as i64) && run.files == files), "{such:?}");
    }
    for run in explore_files_everywhere("file-replace", short, 60) {
        assert_eq!(run.outcome, Ok(0));
        assert_eq!(run.files, [("state".to_owned(), b"and the second one".to_vec())]);
    }
}

fn crashes() {
    let crash = Injections::of(&[Injection::Crash, Injection::ShortWrite]);
    let runs = explore_files_everywhere("file-replace", crash, 100);
    let names = |run: &FileRun| run.files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join(" ");
    let mut seen = BTreeMap::new();
    for run in &runs {
        assert_whole(run);
        let crashed = matches!(&run.outcome, Err(why) if why.starts_with("crashed at point"));
        assert_eq!(crashed, injected(run, Injection::Crash), "{run:?}");
        assert!(crashed || run.outcome == Ok(0), "{run:?}");
        *seen.entry((crashed, names(run))).or_insert(0) += 1;
    }
    // Before anything was written, while the first text is, after it, while the second is, and at the end.
    for state in [(true, ""), (true, "state.new"), (true, "state"), (true, "state state.new"), (false, "state")] {
        assert!(seen.contains_key(&(state.0, state.1.to_owned())), "{state:?} is not among {seen:?}");
    }
}

fn files_left() {
    for engine in controlled_engines() {
        let (mut session, folder) = open_with_files(engine, Injections::default());
        let directory = session.directory().expect("it has one").to_owned();
        for seed in 0..3 {
            let (result, execution) = session.probe("file-left-open", 0, Mode::Explore { seed });
            assert_eq!((outcome(result, execution), execution.files_left_open), (Ok(2), 3), "{engine:?}");
            assert_eq!(session.files_left(), [("first".to_owned(), vec![]), ("second".to_owned(), vec![])]);
        }
        let (result, execution) = session.probe("mutex-counter", 0, Mode::Explore { seed: 0 });
        assert_eq!((outcome(result, execution), execution.files_left_open), (Ok(4), 0), "{engine:?}");
        assert_eq!(session.files_left(), []);
        drop(session);
        assert!(!directory.exists() && folder.path().exists());
    }
}

fn allocations() {
    // A session is never freed; while it is held, its memory is not lost.
    let mut held = Vec::new();
    for engine in controlled_engines() {
        // Task graphs may have files.
        let (mut session, _folder) = open_with_files(engine, Injections::default());
        for failing in (1..=12).map(Some).chain([None]) {
            session.set_injections(Injections::default().with_failing_allocation(failing));
            for seed in 0..10 {
                let (result, execution) = session.probe("allocations", 0, Mode::Explore { seed });
                let (expected, made) = match failing {
                    // One that fails ends the probe, unless it gives null.
                    Some(number @ 1..=7) => (1, number),
                    Some(8..=10) => (2, 10),
                    _ => (0, 10),
                };
                let told = (outcome(result, execution), execution.allocations, execution.reports);
                assert_eq!(told, (Ok(expected), made, 0), "{engine:?}, allocation {failing:?}");
            }
        }
        session.set_injections(Injections::default());
        for seed in 0..20 {
            // Also where it is the first execution of the process.
            session.load(&threadbare::task_graph::from_seed(seed, 6));
            let mut execute = || {
                let execution = session.execute(0, Mode::Explore { seed });
                (execution.allocations, execution.points)
            };
            assert_eq!(execute(), execute(), "{engine:?}, task graph {seed}");
        }
        held.push(session);
        assert!(!threadbare::control::leaks(), "{engine:?}");
    }
}
