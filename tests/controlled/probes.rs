//! Exploring the probes of cpp/probes/.

use threadbare::control::Mode;
use threadbare::model::schedule::Schedule;
use threadbare::model::settings::{Engine, Settings, StrategyName};
use threadbare::task_graph::Injections;

use super::harness::{Outcome, controlled_engines, has_fibers, open_probes, outcome, settings};

/// Runs a probe under schedules with these seeds, until one is stopped midway.
pub fn explore(name: &str, settings: &Settings, seeds: std::ops::Range<u64>) -> Vec<(Outcome, Schedule, u32)> {
    explore_with(name, settings, Injections::default(), seeds)
}

/// The same, where things may go wrong.
pub fn explore_with(
    name: &str,
    settings: &Settings,
    injections: Injections,
    seeds: std::ops::Range<u64>,
) -> Vec<(Outcome, Schedule, u32)> {
    let mut session = open_probes(settings);
    session.set_injections(injections);
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

/// Every strategy.
pub const STRATEGIES: [StrategyName; 9] = [
    StrategyName::Random,
    StrategyName::Pct,
    StrategyName::PctOf(2),
    StrategyName::Pos,
    StrategyName::Surw,
    StrategyName::Rff,
    StrategyName::Exhaustive,
    StrategyName::ExhaustiveWithin(1),
    StrategyName::Portfolio,
];

/// How many schedules of each strategy are enough. Real threads take many times as long, and make the same choices as fibers
/// do: control.rs has that for every strategy.
fn enough(engine: Engine) -> u64 {
    if engine == Engine::Threads && has_fibers() { 15 } else { 60 }
}

/// Runs the probe in schedules of every engine and strategy.
pub fn assert_always(probe: &str, expected: i64) {
    for engine in controlled_engines() {
        for strategy in STRATEGIES {
            let runs = explore(probe, &settings(engine, strategy), 0..enough(engine));
            for (seed, (outcome, _, reports)) in runs.iter().enumerate() {
                assert_eq!(*outcome, Ok(expected), "{probe}, {engine:?}, {strategy:?}, seed {seed}");
                assert_eq!(*reports, 0, "{probe}, {engine:?}, {strategy:?}, seed {seed}: a false report");
            }
        }
    }
}

/// Looks for a schedule in which the probe is stopped with `expected`.
pub fn find(probe: &str, engine: Engine, expected: &str) -> Schedule {
    let found = explore(probe, &settings(engine, StrategyName::Random), 0..300).pop().expect("some schedules");
    assert_eq!(found.0, Err(expected.to_owned()), "{probe}, {engine:?}");
    found.1
}

/// Explores on every engine, and asserts that they agree and replay each other's schedules. The runs, of which the last
/// may have been stopped midway.
pub fn assert_engines_agree(probe: &str, injections: Injections, count: u64) -> Vec<(Outcome, Schedule, u32)> {
    let explore = |engine| explore_with(probe, &settings(engine, StrategyName::Random), injections, 0..count);
    let engines = controlled_engines();
    let runs = explore(engines[0]);
    for &engine in &engines {
        assert_eq!(explore(engine), runs, "{probe}, {engine:?}");
        let mut session = open_probes(&settings(engine, StrategyName::Random));
        session.set_injections(injections);
        for (expected, schedule, _) in &runs {
            let (result, execution) = session.probe(probe, 0, Mode::Replay(schedule));
            assert_eq!(outcome(result, execution), *expected, "{probe}, {engine:?}");
            assert_eq!(session.schedule(), *schedule, "{probe}, {engine:?}");
        }
    }
    runs
}

/// What comes of a recorded schedule.
pub fn replay(probe: &str, engine: Engine, schedule: &Schedule) -> Outcome {
    let mut session = open_probes(&settings(engine, StrategyName::Random));
    let (result, execution) = session.probe(probe, 0, Mode::Replay(schedule));
    outcome(result, execution)
}
