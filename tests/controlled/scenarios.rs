//! The scenarios of the five systems (cpp/probes/scenarios/), each over 1,000 controlled schedules and once without
//! control; and the same scenarios with buggy components, which must fail.

use std::collections::BTreeSet;

use threadbare::campaign::catalogue::CATALOGUE;
use threadbare::control::Mode;
use threadbare::model::settings::{Engine, Sanitizer, StrategyName};
use threadbare::runtime::{Probes, ScenarioInfo};

use super::harness::{self, Outcome, SANITIZERS, SCENARIOS, Test, controlled_engines, open_probes, outcome, settings};

/// Asks for every sanitizer.
const ALL: &str = "THREADBARE_ALL_SANITIZERS";

/// Of each strategy.
const SCHEDULES: u64 = 500;
const STRATEGIES: [StrategyName; 2] = [StrategyName::Random, StrategyName::Pct];

pub fn tests() -> Vec<Test> {
    // Told by the scenarios themselves, in whichever process this is.
    let listed = {
        let workshop = harness::workshop();
        let target = SCENARIOS.target(&workshop).expect("a target");
        let object = workshop.build(&target, Sanitizer::None).expect("it compiles").object;
        Probes::load(&object).and_then(|probes| probes.scenarios()).expect("scenarios")
    };
    let all = listed.clone();
    let mut tests = vec![
        Test::new("every_system_has_scenarios_and_some_that_must_fail", SCENARIOS, move || every_system(&all))
            .under(&[Sanitizer::None]),
    ];
    // Under the sanitizers they take long; ci/nightly.sh asks for them.
    let sanitizers = if std::env::var_os(ALL).is_some() { &SANITIZERS[..] } else { &[Sanitizer::None] };
    for scenario in listed {
        let ScenarioInfo { name, bug, .. } = &scenario;
        let test = if bug.is_empty() {
            let name = format!("{name}_holds_in_1000_schedules");
            Test::new(name, SCENARIOS, move || holds(&scenario)).under(sanitizers)
        } else {
            // AddressSanitizer ends the process at what some bugs do.
            let sanitizers: Vec<_> =
                sanitizers.iter().copied().filter(|sanitizer| *sanitizer != Sanitizer::Address).collect();
            let name = format!("{name}_fails_with_{bug}");
            Test::new(name, SCENARIOS, move || fails(&scenario)).under(&sanitizers)
        };
        tests.push(test);
    }
    tests
}

fn every_system(scenarios: &[ScenarioInfo]) {
    let systems: BTreeSet<&str> = CATALOGUE.iter().map(|entry| entry.scenario).collect();
    assert_eq!(systems.len(), 5);
    for system in systems {
        let of_system = |scenario: &ScenarioInfo| scenario.name.starts_with(&format!("{system}-"));
        let (correct, buggy): (Vec<_>, Vec<_>) =
            scenarios.iter().filter(|scenario| of_system(scenario)).partition(|scenario| scenario.bug.is_empty());
        assert!(correct.len() >= 3 && !buggy.is_empty(), "{system}");
        for scenario in buggy {
            let of_bug = |known: &&str| **known == *scenario.bug;
            assert!(CATALOGUE.iter().map(|entry| entry.name).any(|name| of_bug(&name)), "{scenario:?}");
        }
    }
}

/// What comes of a scenario, and how many reports there are, in the schedules that a strategy makes of these seeds.
fn explore(
    scenario: &ScenarioInfo,
    engine: Engine,
    strategy: StrategyName,
    mut each: impl FnMut(u64, Outcome, u32) -> bool,
) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut session = open_probes(&settings(engine, strategy));
    session.set_directory(folder.path().join("files")).expect("a directory");
    for seed in 0..if engine == Engine::Free { 1 } else { SCHEDULES } {
        let (result, execution) = session.scenario(scenario, seed, Mode::Explore { seed });
        if !each(seed, outcome(result, execution), execution.reports) {
            return;
        }
    }
}

fn holds(scenario: &ScenarioInfo) {
    let controlled = STRATEGIES.map(|strategy| (controlled_engines()[0], strategy));
    for (engine, strategy) in controlled.into_iter().chain([(Engine::Free, StrategyName::Random)]) {
        explore(scenario, engine, strategy, |seed, outcome, reports| {
            assert_eq!(outcome, Ok(0), "{engine:?}, {strategy:?}, seed {seed}");
            assert_eq!(reports, 0, "{engine:?}, {strategy:?}, seed {seed}");
            true
        });
    }
}

/// Stops at the first schedule that shows it, after which a process is not to be trusted.
fn fails(scenario: &ScenarioInfo) {
    let mut shown = false;
    for strategy in STRATEGIES {
        if !shown {
            explore(scenario, controlled_engines()[0], strategy, |_, outcome, reports| {
                shown = outcome != Ok(0) || reports > 0;
                !shown
            });
        }
    }
    assert!(shown, "the bug shows in no schedule");
}
