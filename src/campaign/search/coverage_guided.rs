//! The coverage-guided search: slices begin with what others kept, and add to it.
#![forbid(unsafe_code)]

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Runtime, Search};
use crate::campaign::explorer::Campaign;
use crate::campaign::findings::Findings;
use crate::campaign::guide::{Gathered, Guide};
use crate::campaign::job::{Evolution, LeakWindow, Outcome, Work, milliseconds};
use crate::campaign::measure::Measurement;
use crate::campaign::plan::{Cell, Cut, Plan, Share};
use crate::campaign::seed::slice_seed;
use crate::campaign::supervisor::{Beginning, Ended, Evolved, Found};
use crate::campaign::suspects::Suspects;
use crate::campaign::targets::Targets;
use crate::case::Workload;
use crate::feedback::Kind;
use crate::settings::Sanitizer;
use crate::task_graph::{Shape, from_seed_in_shape};

/// The part of a campaign's time that executing the corpus may take before the first slice.
const RECALL: u32 = 10;

pub(super) struct CoverageGuided {
    seed: u64,
    shape: Shape,
    guide: Guide,
    /// The number of executions ends it, and not the time.
    is_counted: bool,
}

impl CoverageGuided {
    /// # Errors
    /// The directory of the corpus cannot be used.
    pub fn new(campaign: &Campaign, runtime: &Runtime, feedback: &[Kind], corpus: Option<&Path>) -> Result<Self> {
        let is_counted = campaign.budget.is_none();
        let guide = Guide::new(feedback, corpus, runtime.shape, is_counted)?;
        Ok(Self { seed: campaign.seed, shape: runtime.shape, guide, is_counted })
    }

    fn seed_of(&self, share: &Share) -> u64 {
        slice_seed(self.seed, share.cell, share.first)
    }
}

impl Search for CoverageGuided {
    fn cut(&self) -> Cut {
        Cut::CoverageGuided
    }

    /// Where its slices depend on those before, or on a corpus, all cells begin together.
    fn needs_all_targets(&self) -> bool {
        self.is_counted || self.guide.has_inputs()
    }

    /// Executes the corpus under each sanitizer, within a part of the time, or no more than is to be executed: a slice
    /// begins with a part of a large corpus, at one number of threads. What the rest reaches would be new to it, and kept
    /// once more.
    fn prepare(&mut self, campaign: &Campaign, targets: &Targets<'_>) -> Result<()> {
        let count = campaign.sanitizers.len();
        let most = campaign.executions.map_or(usize::MAX, |executions| executions as usize / count.max(1));
        for &sanitizer in &campaign.sanitizers {
            let inputs = self.guide.to_recall(campaign.seed, most);
            let Some(target) = targets.of(sanitizer).filter(|_| !inputs.is_empty()) else { return Ok(()) };
            let measurement = Measurement {
                runtime: campaign.searched.name().to_owned(),
                bug: campaign.searched.runtime().and_then(|runtime| runtime.bug.clone()),
                sanitizer,
                engine: campaign.engine,
                jobs: campaign.jobs,
                thorough: false,
                limit: campaign.budget.map(|budget| budget / RECALL / count as u32),
            };
            let reached = measurement.run(target, &inputs, |_, _| {})?.reached();
            self.guide.recall(sanitizer, &reached);
        }
        Ok(())
    }

    fn next(
        &mut self,
        plan: &mut Plan,
        left: Option<Duration>,
        is_ready: &dyn Fn(Sanitizer) -> bool,
        findings: &Findings,
    ) -> Result<Option<Share>> {
        if left.is_some_and(|left| left.is_zero()) || !plan.has_left() {
            return Ok(None);
        }
        let known = || findings.iter().map(|finding| finding.fingerprint.clone()).collect();
        if !self.guide.may_begin(plan.begins_pass(), known)? {
            return Ok(None);
        }
        let share = plan.next(left, is_ready);
        if share.is_some() {
            self.guide.begin();
        }
        Ok(share)
    }

    fn work(&mut self, share: &Share, _findings: &Findings) -> Work {
        Work::Evolve(Evolution {
            seed: self.seed_of(share),
            first: share.first,
            count: share.count,
            limit_ms: share.limit.map(milliseconds),
            shape: self.shape,
            feedback: self.guide.feedback.clone(),
            known: self.guide.known().clone(),
        })
    }

    fn beginning(&mut self, share: &Share, sanitizer: Sanitizer) -> Option<Beginning<'_>> {
        let seed = self.seed_of(share);
        Some(self.guide.beginning(share.cell, sanitizer, seed, share.count))
    }

    fn ended(&mut self, share: &Share, ended: &mut Ended) -> Result<()> {
        let Evolved { kept, cut_off, last, reached } = std::mem::take(&mut ended.evolved);
        // Which one leaked is not known yet.
        let is_last = ended.outcome.spent || (ended.found.is_some() && ended.outcome.leaked.is_none());
        if let Some(input) = last.filter(|_| is_last) {
            self.guide.avoid(share.cell, &input);
        }
        self.guide.end_slice(ended.job.settings.sanitizer, kept, &reached)?;
        ensure!(!cut_off, "there is no room for what workers keep; free some space in /dev/shm and TMPDIR");
        Ok(())
    }

    fn suspects(&mut self, share: Share, _window: LeakWindow, outcome: &mut Outcome) -> Suspects {
        self.guide.begin();
        Suspects::Inputs { cell: share.cell, inputs: std::mem::take(&mut outcome.suspects) }
    }

    fn narrowed(&mut self, cell: usize, found: &Found) {
        self.guide.end();
        if let Some(input) = &found.input {
            self.guide.avoid(cell, input);
        }
    }

    fn failed(&self, found: &mut Found, _cell: &Cell) -> (Workload, u64) {
        match found.input.take() {
            Some(input) => (input.graph.into(), input.seed),
            // The worker died before it had any, so it does not matter which.
            None => (from_seed_in_shape(self.seed, self.shape).into(), self.seed),
        }
    }

    fn task_graphs(&self, cells: &[Cell]) -> u64 {
        cells.iter().map(|cell| cell.mutated).sum()
    }

    fn finish(&mut self) -> Result<Option<Gathered>> {
        self.guide.gather()?;
        Ok(Some(self.guide.gathered()))
    }
}
