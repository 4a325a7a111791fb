//! What a subcommand finds when it starts: the compiler, and what was built before.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use anyhow::Result;

use super::resolve;
use crate::campaign::interrupt;
use crate::report::progress::ProgressLine;
use crate::target::{Progress, Workshop};

pub struct World {
    /// What `--cxx` names.
    pub cxx: Option<PathBuf>,
}

impl World {
    /// What builds targets, with one compiler for each core.
    ///
    /// # Errors
    /// There is no compiler, or no place for what it makes.
    pub fn workshop(&self) -> Result<Workshop> {
        Workshop::open(self.cxx.as_deref(), resolve::jobs(None)?)
    }
}

/// Shows what is being built; whether to go on.
pub fn build_on(line: &ProgressLine) -> impl FnMut(&Progress) -> bool {
    |progress| {
        line.building(progress);
        !interrupt::requested()
    }
}
