//! `threadbare check`: any C or C++ program under many schedules.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Args;

use super::program::Program;
use super::resolve;
use super::world::World;
use crate::campaign::check::{Campaign, Summary};
use crate::campaign::findings::can_write;
use crate::campaign::interrupt;
use crate::check::{self, Points};
use crate::report::progress::ProgressLine;
use crate::report::{findings, grouped, json, say, table, word};
use crate::schedule::Injection;
use crate::settings::{Engine, Sanitizer, StrategyName};
use crate::target::Workshop;

/// Time of a check that is given neither time nor executions.
const DEFAULT_SECONDS: u64 = 10;
/// What makes the choices in a program of which nothing else is said.
pub const DEFAULT_STRATEGY: StrategyName = StrategyName::Portfolio;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare check test.c                                           explore its schedules for ten seconds
  threadbare check queue --stop-at-first                            a program that threadbare.toml names
  threadbare check test.c --strategy exhaustive --sanitizer thread  all schedules that differ
  threadbare check test.cpp --flags \"-Iinclude -DN=3\" -- 7          flags, and an argument of `main`")]
pub struct Flags {
    /// C or C++ sources, one of which defines `main`; or the name of a program in threadbare.toml; or nothing, for each
    /// program in it. What is given here comes before what the file says.
    sources: Vec<PathBuf>,
    /// Flags for the compiler, separated by spaces, such as "-DSIZE=3 -Iinclude -lm"; after those of threadbare.toml, so
    /// that these win.
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    flags: String,
    /// Sanitizers to build with [default: `sanitizers` of threadbare.toml, else none,thread,address].
    #[arg(long, value_enum, value_delimiter = ',')]
    sanitizer: Option<Vec<Sanitizer>>,
    /// How virtual threads run [default: fibers if built with clang, else threads].
    #[arg(long, value_enum)]
    engine: Option<Engine>,
    /// What makes the choices: random[:CHANCE], pct[:DEPTH], pos, surw, rff, exhaustive[:PREEMPTIONS] or portfolio
    /// [default: portfolio].
    #[arg(long)]
    strategy: Option<StrategyName>,
    /// Where scheduling points are [default: memory].
    #[arg(long, value_enum)]
    points: Option<Points>,
    /// Stop after so many executions of a program, over all sanitizers.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    executions: Option<u64>,
    /// Stop after so many seconds [default: 10, unless --executions is given].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,
    /// The same seed and executions are the same check.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Workers at a time [default: `jobs` of threadbare.toml, else one for each core].
    #[arg(long)]
    jobs: Option<usize>,
    /// Stop after the first finding.
    #[arg(long)]
    stop_at_first: bool,
    /// Execute each schedule twice and report the first step at which the two executions differ, if they do.
    #[arg(long)]
    audit: bool,
    /// Inject what a program must expect: spurious-wake-up, weak-failure.
    #[arg(long, value_delimiter = ',', value_parser = injection)]
    inject: Option<Vec<Injection>>,
    /// Directory for what is found [default: `findings` of threadbare.toml, else findings].
    #[arg(long, value_name = "DIRECTORY")]
    findings: Option<PathBuf>,
    /// Write the results to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Arguments of `main`, in place of those of threadbare.toml.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Parses the word of something that may go wrong.
fn injection(word: &str) -> Result<Injection, String> {
    let known = check::INJECTIONS.into_iter().find(|injection| injection.word() == word);
    known.ok_or_else(|| format!("choose from {}", check::INJECTIONS.map(Injection::word).join(", ")))
}

impl Flags {
    /// The program, with what the command line says in place of the project file.
    fn overriding(&self, program: Program) -> Program {
        let flags = self.flags.split_whitespace().map(str::to_owned);
        Program {
            flags: program.flags.into_iter().chain(flags).collect(),
            arguments: if self.arguments.is_empty() { program.arguments } else { self.arguments.clone() },
            sanitizers: self.sanitizer.clone().or(program.sanitizers),
            points: self.points.or(program.points),
            injections: self.inject.clone().or(program.injections),
            strategy: self.strategy.or(program.strategy),
            ..program
        }
    }

    fn resolve(&self, program: &Program, world: &World, engine: Engine) -> Result<Campaign> {
        let unlimited = self.seconds.is_none() && self.executions.is_none();
        Ok(Campaign {
            check: program.check()?,
            sanitizers: resolve::chosen(None, program.sanitizers.as_deref(), &resolve::SANITIZERS),
            engine,
            strategy: program.strategy.unwrap_or(DEFAULT_STRATEGY),
            seed: self.seed,
            jobs: world.jobs(self.jobs)?,
            seconds: if unlimited { Some(DEFAULT_SECONDS) } else { self.seconds },
            executions: self.executions,
            stop_at_first: self.stop_at_first,
            audit: self.audit,
            findings: world.findings(self.findings.as_deref())?,
        })
    }
}

pub fn run(flags: &Flags, world: &World) -> Result<bool> {
    let programs = Program::given(&flags.sources, world)?;
    let programs: Vec<Program> = programs.into_iter().map(|program| flags.overriding(program)).collect();
    let workshop = world.workshop()?;
    let engine = resolve::controlled_engine(flags.engine, &workshop.toolchain)?;
    let campaigns = programs.iter().map(|program| flags.resolve(program, world, engine)).collect::<Result<Vec<_>>>()?;
    flags.json.iter().try_for_each(|path| can_write(path))?;
    interrupt::listen()?;
    if !flags.sources.is_empty() {
        return one(&campaigns[0], flags.json.as_deref(), &workshop);
    }
    let names = programs.iter().filter_map(|program| program.named.as_ref()).map(|named| named.name.as_str());
    each(names.zip(&campaigns), flags.json.as_deref(), &workshop)
}

fn one(campaign: &Campaign, file: Option<&Path>, workshop: &Workshop) -> Result<bool> {
    let summary = explore(campaign, workshop)?;
    if let Some(path) = file {
        json::write(path, &json::Check::new(&summary, campaign))?;
    }
    match summary.failure {
        Some(error) => Err(error),
        None => Ok(!summary.findings.is_empty()),
    }
}

/// Explores one program after the other, whatever comes of each.
fn each<'a>(
    campaigns: impl Iterator<Item = (&'a str, &'a Campaign)>,
    file: Option<&Path>,
    workshop: &Workshop,
) -> Result<bool> {
    let (mut found, mut failed, mut results) = (false, Vec::new(), Vec::new());
    for (name, campaign) in campaigns {
        if interrupt::requested() {
            failed.push(format!("{name}: interrupted before it began"));
            continue;
        }
        say(format!("{}{name}", if results.is_empty() { "" } else { "\n" }));
        let explored = explore(campaign, workshop);
        if let Err(error) | Ok(Summary { failure: Some(error), .. }) = &explored {
            failed.push(format!("{name}: {error:#}"));
        }
        let check = explored.as_ref().ok().map(|summary| json::Check::new(summary, campaign));
        found |= explored.is_ok_and(|summary| !summary.findings.is_empty());
        results.push(json::Named::program(name, check, failed.last().cloned()));
    }
    if let Some(path) = file {
        json::write(path, &json::Targets::new(results))?;
    }
    let why = failed.join("\n");
    ensure!(found || failed.is_empty(), "{why}");
    if !failed.is_empty() {
        say(format!("\n{why}"));
    }
    Ok(found)
}

fn explore(campaign: &Campaign, workshop: &Workshop) -> Result<Summary> {
    let line = ProgressLine::new();
    let summary = campaign.run(workshop, |progress| line.check(progress))?;
    drop(line);
    print(&summary, campaign);
    Ok(summary)
}

/// The findings, the table and the totals.
pub fn print(summary: &Summary, campaign: &Campaign) {
    for finding in &summary.findings {
        say(format!("{}\n", findings::text(finding)));
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
