//! The one job of a CI run: replays the regression cases, then explores each target for its share of the time.

mod summary;

use std::time::{Duration, Instant};

use anyhow::{Error, Result};

use super::explorer::{self, Campaign};
use super::interrupt;
use super::replay::{self, Conclusion, Refused, Replayed};
use crate::model::settings::{Engine, Sanitizer};
use crate::target::{self, Target, Workshop, bundled};

pub use summary::{Explored, Summary};

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

/// A target by name, and how it is explored. Its budget is set when its turn comes.
pub struct Exploration {
    pub name: String,
    pub campaign: Campaign,
}

/// How far it is.
pub enum Progress<'a> {
    Building(&'a target::Progress),
    /// The target of this name.
    Exploring(&'a str, &'a explorer::Progress<'a>),
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
            let campaign = Campaign { budget: self.budget.map(left), ..exploration.campaign.clone() };
            let explored = exploration.explore(&campaign, workshop, &failed, &mut observe);
            // Of one runtime alone there is nothing else to tell.
            let outcome = match explored {
                Err(error) if self.is_bundled_alone() => return Err(error),
                explored => explored.map_err(|error| format!("{error:#}")),
            };
            targets.push(Explored { name: exploration.name.clone(), campaign, outcome });
        }
        let (command, engine, seed) = ("ci", self.engine, self.seed);
        Ok(Summary { command, regressions, refused, left_out, targets, engine, seed })
    }

    fn is_asked_for(&self, sanitizer: Sanitizer) -> bool {
        self.explorations.iter().any(|exploration| exploration.campaign.sanitizers.contains(&sanitizer))
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
            let target = exploration.campaign.searched.target(workshop)?;
            wanted.extend(exploration.campaign.sanitizers.iter().map(|sanitizer| (target.clone(), *sanitizer)));
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
    fn explore(
        &self,
        campaign: &Campaign,
        workshop: &Workshop,
        failed: &Failed,
        observe: &mut impl FnMut(&Progress<'_>),
    ) -> Result<explorer::Summary> {
        let target = campaign.searched.target(workshop)?;
        let is_own = |sanitizer: &Sanitizer| campaign.sanitizers.contains(sanitizer);
        if let Some((.., error)) = failed.iter().find(|(of, sanitizer, _)| *of == target && is_own(sanitizer)) {
            return Err(Error::msg(format!("{error:#}")));
        }
        campaign.run(workshop, |progress| observe(&Progress::Exploring(&self.name, progress)))
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
