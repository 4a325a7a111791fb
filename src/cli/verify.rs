//! `threadbare verify`: whether cases that failed still do, after a fix.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use super::limits::duration;
use super::opened::{Opened, Trusted};
use super::world::World;
use crate::campaign::interrupt;
use crate::campaign::verify::{self, Replayed, Verified};
use crate::report::progress::ProgressLine;
use crate::report::{grouped, say};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare verify findings/*.case              the old schedules, those near them, and a search ten times as long
  threadbare verify a.case --executions 100000   with a longer search")]
pub struct Flags {
    /// Cases that failed before the fix.
    #[arg(required = true)]
    cases: Vec<PathBuf>,
    /// Executions of the search of each case [default: ten times those that found it, at least 1,000].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    executions: Option<u64>,
    /// Time for each case: at most.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    budget: Duration,
    #[command(flatten)]
    trusted: Trusted,
}

/// Whether one still fails.
pub fn run(flags: &Flags, world: &World) -> Result<bool> {
    interrupt::listen()?;
    let workshop = world.workshop()?;
    let mut fails = false;
    let mut judged = 0;
    for path in flags.cases.iter().take_while(|_| !interrupt::requested()) {
        let line = ProgressLine::new();
        let Opened { case, mut laboratory } = flags.trusted.open(path, world, &workshop, &line)?;
        let observe = |tried| line.sampling(tried);
        let verified = verify::verify(&mut laboratory, &case, flags.executions, flags.budget, observe)?;
        drop(line);
        say(format!("{}: {}", path.display(), text(&verified)));
        fails |= verified.fails();
        judged += 1;
    }
    ensure!(fails || judged == flags.cases.len(), "interrupted: {} cases were not judged", flags.cases.len() - judged);
    Ok(fails)
}

fn text(verified: &Verified) -> String {
    let Verified { replayed, neighbours, failed, searched, found, before, is_cut } = verified;
    let replay = match replayed {
        Replayed::Passes => "its schedule passes".to_owned(),
        Replayed::Fails(what) => return format!("still fails: its schedule {what}"),
        Replayed::GoesOn { why, fails: true } => {
            return format!("still fails: its schedule no longer fits {why}, and fails when it goes on from there");
        }
        Replayed::GoesOn { why, .. } => {
            format!("its schedule no longer fits {why}, and passes when it goes on from there")
        }
    };
    if *failed > 0 {
        return format!("still fails: {replay}, but {failed} of {} schedules near it fail", grouped(*neighbours));
    }
    if let Some(what) = found {
        return format!("still fails: {replay}, but a search {what} in execution {}", grouped(*searched));
    }
    let tried = 1 + neighbours + searched;
    let before = before.map_or_else(String::new, |before| format!(", where before 1 in {} failed", grouped(before)));
    let cut = if *is_cut { "; time was up before all were tried" } else { "" };
    format!("not observed in {} schedules{before}: {replay}{cut}", grouped(tried))
}
