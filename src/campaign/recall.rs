//! Finds out what a corpus reaches before a campaign resumes from it.
//!
//! A slice begins with a part of a large corpus, at one number of threads. What the rest reaches would be new to it, and
//! kept once more.
#![forbid(unsafe_code)]

use anyhow::Result;

use super::fuzz::Campaign;
use super::guide::Guide;
use super::measure::Measurement;
use super::targets::Targets;

/// The part of a campaign's time that this may take.
const PART: u32 = 10;

impl Campaign {
    /// Executes the corpus under each sanitizer: within a part of the time, or no more than is to be executed.
    ///
    /// # Errors
    /// A worker cannot do what it is asked.
    pub(super) fn recall(&self, guide: &mut Guide, targets: &Targets<'_>) -> Result<()> {
        let count = self.sanitizers.len();
        let most = self.executions.map_or(usize::MAX, |executions| executions as usize / count.max(1));
        for &sanitizer in &self.sanitizers {
            let inputs = guide.to_recall(self.seed, most);
            let Some(target) = targets.of(sanitizer).filter(|_| !inputs.is_empty()) else { return Ok(()) };
            let measurement = Measurement {
                runtime: self.runtime.clone(),
                bug: self.bug.clone(),
                sanitizer,
                engine: self.engine,
                jobs: self.jobs,
                thorough: false,
                limit: self.budget.map(|budget| budget / PART / count as u32),
            };
            let reached = measurement.run(target, &inputs, |_, _| {})?.reached();
            guide.recall(sanitizer, &reached);
        }
        Ok(())
    }
}
