//! `threadbare worker`: what the supervisor starts. Not for people.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::campaign::worker;

#[derive(Debug, Args)]
pub struct Flags {
    /// The directory with the job.
    directory: PathBuf,
    /// The directory that the subject's files shall be in [default: one in the other].
    files: Option<PathBuf>,
}

pub fn run(flags: &Flags) -> Result<bool> {
    worker::run(&flags.directory, flags.files.as_deref())?;
    Ok(false)
}
