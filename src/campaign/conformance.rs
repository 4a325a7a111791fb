//! The conformance list of an adapter: its core, each capability alone, then in pairs, and a seeded bug that must be found.
//!
//! A part of the list is a small generational search over task graphs that use nothing else, so what does not work has the
//! name of the part.

use std::collections::VecDeque;

use anyhow::Result;

use super::interrupt;
use super::job::{Executed, Job, Slice, Work};
use super::supervisor::{Ended, Supervisor};
use super::task_graphs::TaskGraphs;
use crate::model::offers::{Capability, Offers};
use crate::model::settings::{Engine, MemoryModel, Races, Sanitizer, Settings, StrategyName};
use crate::model::verdict::Failure;
use crate::model::word;
use crate::target::{Built, Progress, Target, Workshop};
use crate::task_graph::{Shape, Systems};

/// Seed of the task graphs and schedules: every check is the same.
const SEED: u64 = 1;
/// Size of the task graphs.
const SIZE: u32 = 8;
/// Executions of what is looked at alone; each pair has a quarter.
const EXECUTIONS: u64 = 400;
/// Executions within which the seeded bug must be found.
const BUG_EXECUTIONS: u64 = 4_000;
/// Switches it on; see `seeded_bug` in cpp/harness/interpreter.hpp.
const BUG_FLAG: &str = "-DTHREADBARE_SEEDED_BUG";

/// What to check.
pub struct Conformance {
    pub target: Target,
    pub sanitizer: Sanitizer,
    pub threads: u16,
    pub engine: Engine,
    pub jobs: usize,
}

/// A part of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Core,
    Alone(Capability),
    Pair(Capability, Capability),
    SeededBug,
}

/// What came of a part.
#[derive(Clone, Debug)]
pub struct Checked {
    pub part: Part,
    pub executions: u64,
    /// What an oracle or a sanitizer said, which is right of the seeded bug alone.
    pub failure: Option<Failure>,
    /// Executions that could not be judged, and why.
    pub incomparable: Option<(u64, String)>,
}

impl Checked {
    /// Whether it is as it must be.
    #[must_use]
    pub fn works(&self) -> bool {
        self.incomparable.is_none() && self.failure.is_some() == (self.part == Part::SeededBug)
    }
}

impl Part {
    fn capabilities(&self) -> Vec<Capability> {
        match *self {
            Self::Core => Vec::new(),
            Self::Alone(one) => vec![one],
            Self::Pair(one, other) => vec![one, other],
            Self::SeededBug => Capability::ALL.to_vec(),
        }
    }

    fn executions(&self) -> u64 {
        match self {
            Self::Core | Self::Alone(_) => EXECUTIONS,
            Self::Pair(..) => EXECUTIONS / 4,
            Self::SeededBug => BUG_EXECUTIONS,
        }
    }
}

/// The list for a runtime with these offers.
#[must_use]
pub fn parts(offers: &Offers) -> Vec<Part> {
    let mut parts = vec![Part::Core];
    let offered: Vec<Capability> = Capability::ALL.into_iter().filter(|capability| offers.has(*capability)).collect();
    parts.extend(offered.iter().map(|one| Part::Alone(*one)));
    for (index, one) in offered.iter().enumerate() {
        parts.extend(offered[index + 1..].iter().map(|other| Part::Pair(*one, *other)));
    }
    parts.push(Part::SeededBug);
    parts
}

impl Conformance {
    /// Builds the runtime twice, with and without the seeded bug, and goes through the list; gives what it offers as well.
    /// `observe` is told how much of how much is done.
    ///
    /// # Errors
    /// The runtime does not compile, or a worker cannot do what it is asked.
    pub fn run(
        &self,
        workshop: &Workshop,
        building: impl FnMut(&Progress) -> bool,
        mut observe: impl FnMut(u64, u64),
    ) -> Result<(Offers, Vec<Checked>)> {
        let mut buggy = self.target.clone();
        buggy.name.push_str("-seeded-bug");
        buggy.flags.push(BUG_FLAG.to_owned());
        let wanted = [&self.target, &buggy].map(|target| (target.clone(), self.sanitizer));
        let builds = workshop.build_all(wanted, building)?;
        let (right, buggy) = (builds.of(&self.target, self.sanitizer)?, builds.of(&buggy, self.sanitizer)?);
        let parts = parts(&right.offers);
        let mut checked: Vec<Option<Checked>> = vec![None; parts.len()];
        let mut supervisor = Supervisor::new(self.jobs)?;
        let mut waiting: VecDeque<usize> = (0..parts.len()).collect();
        while !interrupt::requested() {
            while supervisor.has_room()
                && let Some(index) = waiting.pop_front()
            {
                let target = if parts[index] == Part::SeededBug { buggy } else { right };
                supervisor.start(index, self.job(target, &parts[index]), None)?;
            }
            if supervisor.is_idle() {
                break;
            }
            for (index, ended) in supervisor.poll()? {
                checked[index] = Some(of(parts[index].clone(), &ended));
                observe(checked.iter().flatten().count() as u64, parts.len() as u64);
            }
        }
        supervisor.stop();
        Ok((right.offers, checked.into_iter().flatten().collect()))
    }

    fn job(&self, target: &Built, part: &Part) -> Job {
        let settings = Settings {
            runtime: self.target.name.clone(),
            threads: self.threads,
            sanitizer: self.sanitizer,
            engine: self.engine,
            strategy: StrategyName::Random,
            seed: SEED,
            memory: MemoryModel::Sc,
            races: Races::Off,
            bug: None,
        };
        let offers = target.offers.only(&part.capabilities());
        let shape = Shape { size: SIZE, systems: Systems::None, offers };
        let task_graphs = TaskGraphs::for_strategy(settings.strategy, shape);
        let slice = Slice::to_measure(Executed::TaskGraphs(task_graphs), SEED, 0, part.executions());
        Job { settings, target: target.clone(), work: Work::Explore(slice) }
    }
}

fn of(part: Part, ended: &Ended) -> Checked {
    let failures = ended.earlier.iter().chain(&ended.found).flat_map(|found| &found.failures);
    let incomparable = ended.outcome.incomparable.iter().next().map(|(reason, count)| (*count, word(reason)));
    Checked { part, executions: ended.outcome.executions, failure: failures.into_iter().next().cloned(), incomparable }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_each_capability_alone_and_every_pair_once() {
        let offers = Offers::default().only(&[Capability::Mutex, Capability::Yield]);
        let alone = [Capability::MainAffinity, Capability::Yield, Capability::Mutex];
        let listed = parts(&offers);
        assert_eq!(listed.len(), 1 + alone.len() + 3 + 1);
        assert!(alone.iter().all(|one| listed.contains(&Part::Alone(*one))));
        assert!(listed.contains(&Part::Pair(Capability::Yield, Capability::Mutex)));
    }

    #[test]
    fn a_seeded_bug_that_is_not_found_does_not_work() {
        let checked = |part, failure| Checked { part, executions: 1, failure, incomparable: None };
        assert!(checked(Part::Core, None).works() && !checked(Part::SeededBug, None).works());
    }
}
