//! `threadbare ci`: the one command of a CI job.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::world::World;
use super::{fuzz, resolve};
use crate::campaign::ci::{Ci, Summary, failed};
use crate::campaign::corpus::Corpus;
use crate::campaign::findings::{can_write, write_whole};
use crate::campaign::{interrupt, replay};
use crate::report::progress::ProgressLine;
use crate::report::sarif::Sarif;
use crate::report::{json, junit, replays, say, word};
use crate::target::Workshop;

/// Time of a job that is given neither time nor executions.
const DEFAULT_MINUTES: u64 = 3;
/// A year, which nobody needs.
const MOST_MINUTES: u64 = 527_040;
/// Where regression cases lie unless another directory is named.
const DEFAULT_REGRESSIONS: &str = "tests/corpus";

#[derive(Debug, Args)]
pub struct Flags {
    /// Stop after so many minutes, with the replays but without building [default: 3, unless --executions is given].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=MOST_MINUTES))]
    minutes: Option<u64>,
    /// Explore so many executions over all sanitizers and thread counts.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    executions: Option<u64>,
    /// Directory of regression cases, of which those of the sanitizers are replayed [default: tests/corpus if it
    /// exists].
    #[arg(long, value_name = "DIRECTORY")]
    regressions: Option<PathBuf>,
    #[command(flatten)]
    explored: fuzz::Explored,
    /// Write the results as JUnit XML to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write what was found as SARIF to this file.
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    /// Write the results to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Flags {
    fn resolve(&self, workshop: &Workshop) -> Result<Ci> {
        let unlimited = self.minutes.is_none() && self.executions.is_none();
        let minutes = if unlimited { Some(DEFAULT_MINUTES) } else { self.minutes };
        let campaign = self.explored.resolve(workshop, minutes.map(|minutes| minutes * 60), self.executions)?;
        let directory = Path::new(DEFAULT_REGRESSIONS);
        let directory = self.regressions.clone().or_else(|| directory.is_dir().then(|| directory.to_owned()));
        let regressions = directory.map(|directory| replay::Plan {
            paths: vec![directory],
            repeat: 1,
            engine: None,
            sanitizer: None,
            fault: campaign.fault.clone(),
            jobs: campaign.jobs,
        });
        Ok(Ci { regressions, campaign })
    }

    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.junit, &self.sarif, &self.json].into_iter().flatten()
    }

    fn write(&self, summary: &Summary) -> Result<()> {
        if let Some(path) = &self.junit {
            write_whole(path, junit::xml(summary)?.as_bytes())?;
        }
        if let Some(path) = &self.sarif {
            let root = std::env::current_dir().context("cannot tell the current directory")?;
            json::write(path, &Sarif::new(summary, &root))?;
        }
        if let Some(path) = &self.json {
            json::write(path, &json::Ci::new(summary))?;
        }
        Ok(())
    }
}

pub fn run(flags: &Flags, world: &World) -> Result<bool> {
    let workshop = world.workshop()?;
    let ci = flags.resolve(&workshop)?;
    flags.files().try_for_each(|path| can_write(path))?;
    if let Some(directory) = ci.campaign.search.corpus() {
        Corpus::open(directory)?;
    }
    interrupt::listen()?;
    say(format!("seed {}, engine {}", ci.campaign.seed, word(&ci.campaign.engine)));
    let line = ProgressLine::new();
    let summary = ci.run(&workshop, resolve::engine_like(&workshop.toolchain), |progress| line.campaign(progress))?;
    drop(line);
    print(&summary);
    flags.write(&summary)?;
    if let Some(error) = summary.fuzz.failure {
        return Err(error);
    }
    if summary.found() {
        return Ok(true);
    }
    match summary.shortfall() {
        Some(why) => bail!("{why}"),
        None => Ok(false),
    }
}

fn print(summary: &Summary) {
    for case in summary.regressions.iter().filter(|case| failed(case)) {
        say(replays::line(case));
    }
    let left_out = match summary.left_out.len() {
        0 => String::new(),
        count => format!(", {count} left out for their sanitizer"),
    };
    say(format!("regressions: {}{left_out}\n", replays::Totals::of(&summary.regressions)));
    fuzz::print(&summary.fuzz);
}
