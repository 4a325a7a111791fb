//! Campaigns for tests, of a runtime and of a program.

use super::Campaign;
use crate::campaign::search::{Runtime, Searched};
use crate::check::Check;
use crate::model::settings::{Engine, Sanitizer, StrategyName};
use crate::target::Points;
use crate::target::bundled;
use crate::task_graph::Shape;

pub fn of_runtime() -> Campaign {
    let runtime = Runtime { name: bundled::NAME.to_owned(), bug: None, shape: Shape::of_size(3) };
    of(Searched::Generational { runtime, strategy: StrategyName::Random })
}

pub fn of_program() -> Campaign {
    let check = Check { points: Points::Memory, ..Check::sample("src/counter.c") };
    of(Searched::Program { check, strategy: StrategyName::Portfolio })
}

fn of(searched: Searched) -> Campaign {
    Campaign {
        searched,
        sanitizers: vec![Sanitizer::None],
        threads: vec![1],
        engine: Engine::Fibers,
        memory: None,
        races: None,
        tells_atomics: true,
        engine_is_given: false,
        seed: 7,
        jobs: 1,
        budget: None,
        executions: Some(20),
        stop_at_first: false,
        audit: false,
        minimise: None,
        findings: "findings".into(),
    }
}
