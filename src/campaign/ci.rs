//! The one job of a CI run: replays the regression cases, then explores each target for its share of the time.
#![forbid(unsafe_code)]

mod summary;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Error, Result};

use super::replay::{self, Conclusion, Refused, Replayed};
use super::{check, fuzz, interrupt};
use crate::settings::{Engine, Sanitizer};
use crate::target::{self, Target, Workshop, bundled};

pub use summary::{Explored, Outcome, Summary};

/// What is to be done.
pub struct Ci {
    /// `None` if there are no cases.
    pub regressions: Option<replay::Plan>,
    /// What is explored, one after the other; at least one.
    pub explorations: Vec<Exploration>,
    /// Of the whole job, the replays included but not the building.
    pub budget: Option<Duration>,
    pub engine: Engine,
    pub seed: u64,
}

/// A target by name, and how it is explored.
pub struct Exploration {
    pub name: String,
    pub campaign: Campaign,
}

/// Its budget is set when its turn comes.
pub enum Campaign {
    Runtime(fuzz::Campaign),
    Program(check::Campaign),
}

impl Campaign {
    /// Where a coverage-guided search keeps inputs.
    #[must_use]
    pub fn corpus(&self) -> Option<&Path> {
        match self {
            Self::Runtime(campaign) => campaign.search.corpus(),
            Self::Program(_) => None,
        }
    }
}

/// How far it is.
pub enum Progress<'a> {
    Building(&'a target::Progress),
    /// The runtime of this name.
    Runtime(&'a str, &'a fuzz::Progress<'a>),
    /// The program of this name.
    Program(&'a str, &'a check::Progress),
}

/// What could not be built, and why.
type Failed = Vec<(Target, Sanitizer, Error)>;

impl Ci {
    /// Does it, or as much as it gets to before Ctrl-C.
    ///
    /// # Errors
    /// A case cannot be read, or a worker cannot do what it is asked. What goes wrong with one target of several is in
    /// the summary.
    pub fn run(
        &self,
        workshop: &Workshop,
        fall_back: impl Fn(Engine) -> Engine,
        mut observe: impl FnMut(&Progress<'_>),
    ) -> Result<Summary> {
        let (regressions, left_out) = match &self.regressions {
            Some(plan) => {
                let all = plan.read_all(workshop, fall_back)?;
                all.into_iter().partition(|case| self.is_asked_for(case.settings.sanitizer))
            }
            None => (Vec::new(), Vec::new()),
        };
        let mut building = |progress: &target::Progress| {
            observe(&Progress::Building(progress));
            !interrupt::requested()
        };
        // The time is for executing.
        let failed = self.build(workshop, &regressions, &mut building)?;
        let started = Instant::now();
        let (mut regressions, refused) = buildable(regressions, &failed);
        if let Some(plan) = &self.regressions {
            plan.replay(workshop, &mut regressions, building)?;
        }
        let mut targets = Vec::new();
        for (exploration, others) in self.explorations.iter().zip((0..self.explorations.len() as u32).rev()) {
            let left = |budget: Duration| budget.saturating_sub(started.elapsed()) / (others + 1);
            let share = self.budget.map(left);
            let explored = exploration.explore(workshop, &failed, share, &mut observe);
            // Of one runtime alone there is nothing else to tell.
            let outcome = match explored {
                Err(error) if self.is_bundled_alone() => return Err(error),
                Err(error) => Outcome::Failed(format!("{error:#}")),
                Ok(outcome) => outcome,
            };
            targets.push(Explored { name: exploration.name.clone(), is_program: exploration.is_program(), outcome });
        }
        Ok(Summary { regressions, refused, left_out, targets, engine: self.engine, seed: self.seed })
    }

    fn is_asked_for(&self, sanitizer: Sanitizer) -> bool {
        self.explorations.iter().any(|exploration| exploration.sanitizers().contains(&sanitizer))
    }

    fn is_bundled_alone(&self) -> bool {
        matches!(&self.explorations[..], [only] if only.name == bundled::NAME)
    }

    /// Builds everything, and gives what could not be.
    fn build(
        &self,
        workshop: &Workshop,
        regressions: &[Replayed],
        observe: impl FnMut(&target::Progress) -> bool,
    ) -> Result<Failed> {
        let mut wanted = Vec::new();
        for exploration in &self.explorations {
            let target = exploration.target(workshop)?;
            wanted.extend(exploration.sanitizers().iter().map(|sanitizer| (target.clone(), *sanitizer)));
        }
        wanted.extend(regressions.iter().map(|case| (case.target.clone(), case.settings.sanitizer)));
        let mut failed = Vec::new();
        workshop.build_each(wanted, observe, |target, sanitizer, built| {
            failed.extend(built.err().map(|error| (target, sanitizer, error)));
            Ok(())
        })?;
        Ok(failed)
    }
}

impl Exploration {
    fn is_program(&self) -> bool {
        matches!(self.campaign, Campaign::Program(_))
    }

    fn sanitizers(&self) -> &[Sanitizer] {
        match &self.campaign {
            Campaign::Runtime(campaign) => &campaign.sanitizers,
            Campaign::Program(campaign) => &campaign.sanitizers,
        }
    }

    fn target(&self, workshop: &Workshop) -> Result<Target> {
        match &self.campaign {
            Campaign::Runtime(campaign) => workshop.runtime(&campaign.runtime, campaign.bug.as_deref()),
            Campaign::Program(campaign) => campaign.check.target(),
        }
    }

    /// Explores for so long, if time is the limit.
    fn explore(
        &self,
        workshop: &Workshop,
        failed: &Failed,
        budget: Option<Duration>,
        observe: &mut impl FnMut(&Progress<'_>),
    ) -> Result<Outcome> {
        let target = self.target(workshop)?;
        let is_own = |sanitizer: &Sanitizer| self.sanitizers().contains(sanitizer);
        if let Some((.., error)) = failed.iter().find(|(of, sanitizer, _)| *of == target && is_own(sanitizer)) {
            return Err(Error::msg(format!("{error:#}")));
        }
        Ok(match &self.campaign {
            Campaign::Runtime(campaign) => {
                let campaign = fuzz::Campaign { budget, ..campaign.clone() };
                let observe = |progress: &fuzz::Progress<'_>| observe(&Progress::Runtime(&self.name, progress));
                Outcome::Runtime(campaign.run(workshop, observe)?)
            }
            Campaign::Program(campaign) => {
                let campaign = check::Campaign { budget, ..campaign.clone() };
                let observe = |progress: &check::Progress| observe(&Progress::Program(&self.name, progress));
                let summary = campaign.run(workshop, observe)?;
                Outcome::Program(summary, Box::new(campaign))
            }
        })
    }
}

/// The cases that can be replayed, and those whose target could not be built.
fn buildable(cases: Vec<Replayed>, failed: &Failed) -> (Vec<Replayed>, Vec<Refused>) {
    let (mut ready, mut refused) = (Vec::new(), Vec::new());
    for case in cases {
        let is_of =
            |(target, of, _): &&(Target, Sanitizer, Error)| *target == case.target && *of == case.settings.sanitizer;
        match failed.iter().find(is_of) {
            None => ready.push(case),
            Some((.., error)) => {
                let why = format!("{}: {error:#}", case.path.display());
                refused.push(Refused { path: case.path, why });
            }
        }
    }
    (ready, refused)
}

/// Whether a case that was replayed did not show its recorded verdict.
#[must_use]
pub fn failed(case: &Replayed) -> bool {
    matches!(case.conclusion, Conclusion::Diverged(_) | Conclusion::Unexpected)
}
