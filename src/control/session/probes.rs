//! Probes and scenarios, which only this project's tests execute (`tests/controlled/`, `cpp/probes/`): C++ functions in the
//! place of task graphs.

use std::path::Path;

use anyhow::Result;

use super::run::Limits;
use super::{EVENTS_SPARE, Mode, Session};
use crate::control::hooks;
use crate::model::execution::Execution;
use crate::model::limits::MAX_POINTS;
use crate::runtime::{Probes, ScenarioInfo};

/// What a probe is expected to take, for strategies that plan ahead.
const POINTS_EXPECTED: u64 = 20;

impl Session {
    /// Loads C++ functions of the tests, to be executed in place of task graphs.
    ///
    /// # Errors
    /// The shared object cannot be loaded.
    pub fn load_probes(&mut self, object: &Path) -> Result<&Probes> {
        let probes = Probes::load(object)?;
        hooks::set_origin(probes.origin());
        hooks::look_at(object);
        Ok(self.probes.insert(probes))
    }

    /// Runs a probe, C++ that exercises the primitives, in place of a task graph; what it returned, unless it was
    /// stopped midway.
    ///
    /// # Panics
    /// If no probes are loaded, or as [`Session::execute`].
    pub fn probe(&mut self, name: &str, number: u64, mode: Mode<'_>) -> (Option<i64>, &Execution) {
        let limits =
            Limits { budget: (MAX_POINTS / 64).into(), expected_points: POINTS_EXPECTED, events: EVENTS_SPARE };
        self.run_probe((name, ""), number, mode, limits)
    }

    /// Runs a scenario of the five systems in place of a task graph; 0 if everything was as it expects, else the line
    /// of what first was not, unless it was stopped midway.
    ///
    /// # Panics
    /// As [`Session::probe`].
    pub fn scenario(&mut self, scenario: &ScenarioInfo, number: u64, mode: Mode<'_>) -> (Option<i64>, &Execution) {
        let limits =
            Limits { budget: (MAX_POINTS / 4).into(), expected_points: scenario.points.into(), events: EVENTS_SPARE };
        self.run_probe((&scenario.name, &scenario.bug), number, mode, limits)
    }

    fn run_probe(
        &mut self,
        (name, bug): (&str, &str),
        number: u64,
        mode: Mode<'_>,
        limits: Limits,
    ) -> (Option<i64>, &Execution) {
        let probes = self.probes.take().expect("probes are loaded before one is run");
        let mut result = None;
        self.run(number, mode, limits, |_| result = Some(probes.run(name, bug)));
        self.probes = Some(probes);
        (result, &self.execution)
    }
}
