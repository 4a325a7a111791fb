//! The one job of a CI run: replays the regression cases, then explores each target for its share of the time.

mod summary;

use std::time::{Duration, Instant};

use anyhow::{Error, Result};

use super::explorer::{self, Campaign};
use super::interrupt;
use super::replay::{self, Conclusion, Replayed};
use crate::model::settings::{Engine, Sanitizer};
use crate::target::{self, Failed, Workshop, bundled};

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

impl Ci {
    /// Does it, or as much as it gets to before Ctrl-C.
    ///
    /// # Errors
    /// There is no case, or a worker cannot do what it is asked. What goes wrong with one case, or one target of several, is
    /// in the summary.
    pub fn run(
        &self,
        workshop: &Workshop,
        fall_back: impl Fn(Engine) -> Engine,
        mut observe: impl FnMut(&Progress<'_>),
    ) -> Result<Summary> {
        let (all, mut refused) = match &self.regressions {
            Some(plan) => plan.read(workshop, fall_back)?,
            None => Default::default(),
        };
        let (mut regressions, left_out): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|case| self.is_asked_for(case.settings.sanitizer));
        let mut building = |progress: &target::Progress| {
            observe(&Progress::Building(progress));
            !interrupt::requested()
        };
        // The time is for executing.
        let failed = self.build(workshop, &regressions, &mut building)?;
        let started = Instant::now();
        if let Some(plan) = &self.regressions {
            refused.extend(plan.replay(workshop, &mut regressions, building)?);
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

/// Whether a case that was replayed did not show its recorded verdict.
#[must_use]
pub fn failed(case: &Replayed) -> bool {
    matches!(case.conclusion, Conclusion::Diverged(_) | Conclusion::Unexpected)
}
