//! `threadbare worker`: what the supervisor starts. Not for people.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::campaign::worker;

#[derive(Debug, Args)]
pub struct Flags {
    /// The directory with the job.
    directory: PathBuf,
    /// The directory for what comes and goes often [default: the same].
    quick: Option<PathBuf>,
}

pub fn run(flags: &Flags) -> Result<bool> {
    worker::run(&flags.directory, flags.quick.as_deref())?;
    Ok(false)
}
