//! One execution of a case under a debugger.

use std::fs;

use anyhow::Result;

use super::Runner;
use crate::campaign::job::{Files, Job, Replay, Work};
use crate::case::Case;
use crate::control::debugger;

/// A job as it is. Where a debugger begins it anew, what it has killed may have left something.
pub(super) fn afresh(files: &Files, job: Job) -> Job {
    if let Work::Debug { .. } = job.work {
        // Mostly there is nothing.
        let _ = fs::remove_dir_all(files.files());
        let _ = fs::remove_file(files.outcome());
    }
    job
}

impl Runner {
    /// Executes the case's schedule as one that is explained, which passes the same steps.
    pub(super) fn debug(&mut self, stop_at: u64, files: &Files) -> Result<()> {
        debugger::begin(stop_at);
        self.session.keep_steps(files.steps());
        self.replay(&Replay { from: 0, times: 1, explains: true }, &Case::read(&files.case())?)
    }
}
