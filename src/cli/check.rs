//! `threadbare check`: any C or C++ program under many schedules.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;

use super::resolve;
use super::world::World;
use crate::campaign::check::{Campaign, Summary};
use crate::campaign::findings::can_write;
use crate::campaign::interrupt;
use crate::check::{self, Check, Points};
use crate::report::progress::ProgressLine;
use crate::report::{findings, grouped, json, say, table, word};
use crate::schedule::Injection;
use crate::settings::{Engine, Sanitizer, StrategyName};
use crate::target::Toolchain;

/// Time of a check that is given neither time nor executions.
const DEFAULT_SECONDS: u64 = 10;

#[derive(Debug, Args)]
pub struct Flags {
    /// C or C++ sources, one of which defines `main`.
    #[arg(required = true)]
    sources: Vec<PathBuf>,
    /// Flags for the compiler, separated by spaces, such as "-DSIZE=3 -Iinclude -lm".
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    flags: String,
    /// Sanitizers to build with.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "none,thread,address")]
    sanitizer: Vec<Sanitizer>,
    /// How virtual threads run [default: fibers if built with clang, else threads].
    #[arg(long, value_enum)]
    engine: Option<Engine>,
    /// What makes the choices: random[:CHANCE], pct[:DEPTH], pos, surw, rff, exhaustive[:PREEMPTIONS] or portfolio.
    #[arg(long, default_value = "portfolio")]
    strategy: StrategyName,
    /// Where threads may switch.
    #[arg(long, value_enum, default_value = "memory")]
    points: Points,
    /// Stop after so many executions over all sanitizers.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    executions: Option<u64>,
    /// Stop after so many seconds [default: 10, unless --executions is given].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,
    /// The same seed and executions are the same check.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Workers at a time [default: one for each core].
    #[arg(long)]
    jobs: Option<usize>,
    /// Stop after the first finding.
    #[arg(long)]
    stop_at_first: bool,
    /// Execute each schedule twice and say at which step they first differ, if they do.
    #[arg(long)]
    audit: bool,
    /// Let these happen where a program must expect them: spurious-wake-up, weak-failure.
    #[arg(long, value_delimiter = ',', value_parser = injection)]
    inject: Vec<Injection>,
    /// Directory for what is found.
    #[arg(long, default_value = "findings")]
    findings: PathBuf,
    /// Write the results to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// For `main`.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Parses the word of something that may go wrong.
fn injection(word: &str) -> Result<Injection, String> {
    let known = check::INJECTIONS.into_iter().find(|injection| injection.word() == word);
    known.ok_or_else(|| format!("choose from {}", check::INJECTIONS.map(Injection::word).join(", ")))
}

impl Flags {
    fn resolve(self, toolchain: &Toolchain) -> Result<Campaign> {
        let check = Check {
            sources: self.sources,
            flags: self.flags.split_whitespace().map(str::to_owned).collect(),
            arguments: self.arguments,
            points: self.points,
            injections: resolve::distinct(&self.inject),
            recorded: None,
        };
        check.validate()?;
        ensure!(
            check.points == Points::Sync || !check.injections.contains(&Injection::WeakFailure),
            "with points in memory nobody can tell a weak compare-exchange from a strong one; inject weak-failure with \
             `--points sync`"
        );
        let check = Check { recorded: Some(check.digest()?), ..check };
        let unlimited = self.seconds.is_none() && self.executions.is_none();
        Ok(Campaign {
            check,
            sanitizers: resolve::distinct(&self.sanitizer),
            engine: resolve::controlled_engine(self.engine, toolchain)?,
            strategy: self.strategy,
            seed: self.seed,
            jobs: resolve::jobs(self.jobs)?,
            seconds: if unlimited { Some(DEFAULT_SECONDS) } else { self.seconds },
            executions: self.executions,
            stop_at_first: self.stop_at_first,
            audit: self.audit,
            findings: self.findings,
        })
    }
}

pub fn run(flags: Flags, world: &World) -> Result<bool> {
    let workshop = world.workshop()?;
    let json = flags.json.clone();
    let campaign = flags.resolve(&workshop.toolchain)?;
    json.iter().try_for_each(|path| can_write(path))?;
    interrupt::listen()?;
    let line = ProgressLine::new();
    let summary = campaign.run(&workshop, |progress| line.check(progress))?;
    drop(line);
    print(&summary, &campaign);
    if let Some(path) = &json {
        json::write(path, &json::Check::new(&summary, &campaign))?;
    }
    match summary.failure {
        Some(error) => Err(error),
        None => Ok(!summary.findings.is_empty()),
    }
}

fn print(summary: &Summary, campaign: &Campaign) {
    for finding in &summary.findings {
        let execution = format!("execution {}", grouped(finding.origin.execution + 1));
        say(format!("{}\n", findings::text(finding, &execution)));
    }
    say(table::of_checks(&summary.cells));
    for cell in summary.cells.iter().filter(|cell| cell.exhausted) {
        let bound = if campaign.strategy == StrategyName::Exhaustive { "" } else { " within the bound" };
        say(format!("{}: every schedule{bound} was tried", word(&cell.sanitizer)));
    }
    if campaign.audit {
        say(format!(
            "audit: both executions of each schedule passed the same steps, and {} replays with other engines and \
             sanitizers ended the same",
            grouped(summary.compared)
        ));
    }
    say(format!(
        "{}{} executions in {:.1} s, {}",
        if summary.interrupted { "interrupted after " } else { "" },
        grouped(summary.executions),
        summary.seconds,
        findings::counted(summary.findings.len())
    ));
}
