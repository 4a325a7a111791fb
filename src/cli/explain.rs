//! `threadbare explain`: why the schedule of a case fails.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;

use super::limits::duration;
use super::opened::{Opened, Trusted};
use super::world::World;
use crate::campaign::explain;
use crate::campaign::interrupt;
use crate::campaign::minimise::minimise;
use crate::evidence::interleaving::MAX_LINES;
use crate::model::word;
use crate::report::progress::ProgressLine;
use crate::report::{minimised, painted, reasons, say};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare explain found.case                 the step that decides, and the order of two operations that does
  threadbare explain found.case --lines 2000    with more of what happened")]
pub struct Flags {
    /// A case that fails.
    case: PathBuf,
    /// Time for it: at most.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    budget: Duration,
    /// Lines of the interleaving: at most.
    #[arg(long, default_value_t = MAX_LINES)]
    lines: usize,
    #[command(flatten)]
    trusted: Trusted,
}

pub fn run(flags: &Flags, world: &World) -> Result<()> {
    interrupt::listen()?;
    let line = ProgressLine::new();
    let deadline = Instant::now() + flags.budget;
    let Opened { case, mut laboratory } = flags.trusted.open(&flags.case, world, &world.workshop()?, &line)?;
    let smaller = minimise(&mut laboratory, &case, Some(flags.budget / 2), |so_far| line.minimising(so_far))?;
    let found = explain::reasons(&mut laboratory, &smaller, Some(deadline), |sampled| line.sampling(sampled))?;
    drop(line);
    let ending = smaller.case.report.lines().next().unwrap_or_default();
    say(format!("{}: {}\n", word(&case.verdict), minimised::text(&smaller)));
    painted::say(reasons::text(&found, ending, flags.lines).trim_end());
    Ok(())
}
