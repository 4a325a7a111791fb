//! Searches: what a campaign executes next, and what it makes of how that ended.
//!
//! The explorer hands out slices and supervises workers; a search says what their executions are. A new kind of search is
//! a file here that implements [`Search`], and a variant of [`Searched`].

mod coverage_guided;
mod generational;
mod program;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::corpus::Gathered;
use super::explorer::Campaign;
use super::findings::Findings;
use super::job::{Executed, LeakWindow, Outcome, Program, Work};
use super::plan::{Cell, Cut, Plan, Share};
use super::supervisor::{Beginning, Ended, Found};
use super::suspects::Suspects;
use super::targets::Targets;
use super::task_graphs::TaskGraphs;
use crate::case::Workload;
use crate::check::{self, Check};
use crate::feedback::Kind;
use crate::model::offers::Offers;
use crate::model::settings::{MemoryModel, Sanitizer, StrategyName};
use crate::target::{Target, Workshop};
use crate::task_graph::Shape;

use coverage_guided::CoverageGuided;
use generational::Generational;
use program::ProgramSearch;

/// A runtime, and the task graphs that it executes.
#[derive(Clone, Debug)]
pub struct Runtime {
    pub name: String,
    /// The seeded bug that is switched on.
    pub bug: Option<String>,
    /// Of the task graphs.
    pub shape: Shape,
}

/// What is explored, and how its executions come about.
#[derive(Clone, Debug)]
pub enum Searched {
    /// Task graphs are generated, each execution by itself, with the choices that the strategy makes.
    Generational { runtime: Runtime, strategy: StrategyName },
    /// Task graphs and choices are mutated by libFuzzer from those that did something new.
    CoverageGuided {
        runtime: Runtime,
        /// What counts as new.
        feedback: Vec<Kind>,
        /// Where inputs are kept; nowhere, if `None`.
        corpus: Option<PathBuf>,
    },
    /// The schedules of a program.
    Program { check: Check, strategy: StrategyName },
}

impl Searched {
    /// What makes the choices.
    #[must_use]
    pub fn strategy(&self) -> StrategyName {
        match self {
            Self::Generational { strategy, .. } | Self::Program { strategy, .. } => *strategy,
            Self::CoverageGuided { .. } => StrategyName::Bytes,
        }
    }

    /// The weakest memory model of executions where none is asked for.
    #[must_use]
    pub fn weakest_memory(&self) -> MemoryModel {
        match self {
            // A share of them; the others are interleavings.
            Self::Program { strategy: StrategyName::Portfolio, .. } => MemoryModel::Cpp20,
            Self::Program { .. } | Self::Generational { .. } | Self::CoverageGuided { .. } => MemoryModel::Sc,
        }
    }

    /// The directory of a coverage-guided search.
    #[must_use]
    pub fn corpus(&self) -> Option<&Path> {
        match self {
            Self::CoverageGuided { corpus, .. } => corpus.as_deref(),
            Self::Generational { .. } | Self::Program { .. } => None,
        }
    }

    /// The runtime, if that is what is explored.
    #[must_use]
    pub fn runtime(&self) -> Option<&Runtime> {
        match self {
            Self::Generational { runtime, .. } | Self::CoverageGuided { runtime, .. } => Some(runtime),
            Self::Program { .. } => None,
        }
    }

    /// The same, of task graphs for a runtime with these offers.
    #[must_use]
    pub fn offering(&self, offers: Offers) -> Self {
        let mut searched = self.clone();
        if let Self::Generational { runtime, .. } | Self::CoverageGuided { runtime, .. } = &mut searched {
            runtime.shape.offers = offers;
        }
        searched
    }

    /// What settings call it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.runtime().map_or(check::RUNTIME, |runtime| &runtime.name)
    }

    /// What executions are of that can be made again from their numbers.
    pub(super) fn executed(&self) -> Executed {
        match self {
            Self::Generational { runtime, .. } | Self::CoverageGuided { runtime, .. } => {
                Executed::TaskGraphs(TaskGraphs::for_strategy(self.strategy(), runtime.shape))
            }
            Self::Program { check, .. } => Executed::Program(Program::of(check)),
        }
    }

    /// What is built of it.
    ///
    /// # Errors
    /// There is no such runtime or bug, or no current directory.
    pub fn target(&self, workshop: &Workshop) -> Result<Target> {
        match self {
            Self::Generational { runtime, .. } | Self::CoverageGuided { runtime, .. } => {
                workshop.runtime(&runtime.name, runtime.bug.as_deref())
            }
            Self::Program { check, .. } => check.target(),
        }
    }
}

/// What the explorer asks of a search. Errors end the campaign with what it has so far.
pub(super) trait Search {
    /// How the executions of a cell are cut into slices.
    fn cut(&self) -> Cut;

    /// Whether no slice may begin before all targets are built.
    fn needs_all_targets(&self) -> bool {
        false
    }

    /// Before the first slice, where all targets must be built for it.
    ///
    /// # Errors
    /// A worker cannot do what it is asked.
    fn prepare(&mut self, _campaign: &Campaign, _targets: &Targets<'_>) -> Result<()> {
        Ok(())
    }

    /// The next slice, if one may begin now; `left` is the campaign's time.
    ///
    /// # Errors
    /// As the search says.
    fn next(
        &mut self,
        plan: &mut Plan,
        left: Option<Duration>,
        is_ready: &dyn Fn(Sanitizer) -> bool,
        _findings: &Findings,
    ) -> Result<Option<Share>> {
        Ok(plan.next(left, is_ready))
    }

    /// What the worker of a slice is to do.
    fn work(&mut self, share: &Share, findings: &Findings) -> Work;

    /// The inputs that it begins with, where there are any.
    fn beginning(&mut self, _share: &Share, _sanitizer: Sanitizer) -> Option<Beginning<'_>> {
        None
    }

    /// A slice has ended, by itself or not. What it found may be told from what is known.
    ///
    /// # Errors
    /// As the search says.
    fn ended(&mut self, _share: &Share, _ended: &mut Ended) -> Result<()> {
        Ok(())
    }

    /// The executions of a slice that may have lost the memory that was found to be lost in this window.
    fn suspects(&mut self, share: Share, window: LeakWindow, _outcome: &mut Outcome) -> Suspects {
        Suspects::Slice(share).within(window)
    }

    /// It was found out which one it was, or that it cannot be.
    fn narrowed(&mut self, _cell: usize, _found: &Found) {}

    /// What failed, and the seed of its schedule.
    fn failed(&self, found: &mut Found, cell: &Cell) -> (Workload, u64);

    /// Different task graphs that were executed so far.
    fn task_graphs(&self, cells: &[Cell]) -> u64;

    /// The campaign is over. What became of the corpus, if there is one.
    ///
    /// # Errors
    /// The corpus cannot be kept.
    fn finish(&mut self) -> Result<Option<Gathered>> {
        Ok(None)
    }
}

/// Whether there can be a search of a campaign, before anything is built for it.
///
/// # Errors
/// As [`of`].
pub(super) fn check(campaign: &Campaign) -> Result<()> {
    if campaign.searched.corpus().is_some() { of(campaign).map(drop) } else { Ok(()) }
}

/// The search of a campaign.
///
/// # Errors
/// The directory of the corpus cannot be used.
pub(super) fn of(campaign: &Campaign) -> Result<Box<dyn Search>> {
    Ok(match &campaign.searched {
        Searched::Generational { runtime, strategy } => Box::new(Generational::new(campaign, runtime, *strategy)),
        Searched::CoverageGuided { runtime, feedback, corpus } => {
            let waits = campaign.budget.is_none();
            Box::new(CoverageGuided::new(campaign.seed, feedback, corpus.as_deref(), runtime.shape, waits)?)
        }
        Searched::Program { check, strategy } => Box::new(ProgramSearch::new(campaign, check, *strategy)),
    })
}
