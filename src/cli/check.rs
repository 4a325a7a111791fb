//! `threadbare check`: any C or C++ program under many schedules.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use super::limits::Limits;
use super::outputs::{Outputs, explore, explore_alone};
use super::program::Program;
use super::resolve;
use super::world::World;
use crate::campaign::ci::{Explored, Summary};
use crate::campaign::explorer::Campaign;
use crate::campaign::interrupt;
use crate::campaign::search::Searched;
use crate::check;
use crate::model::schedule::Injection;
use crate::model::settings::{Engine, Sanitizer, StrategyName};
use crate::report::{json, say};
use crate::target::Points;
use crate::target::Workshop;

/// Time of each program that is given neither time nor executions.
const DEFAULT_BUDGET: Duration = Duration::from_secs(10);
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
    #[command(flatten)]
    limits: Limits,
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
    /// Inject what a program must expect: spurious-wake-up, weak-failure, short-read, short-write, eintr, reset.
    #[arg(long, value_delimiter = ',', value_parser = injection)]
    inject: Option<Vec<Injection>>,
    /// Directory for what is found [default: `findings` of threadbare.toml, else findings].
    #[arg(long, value_name = "DIRECTORY")]
    findings: Option<PathBuf>,
    #[command(flatten)]
    outputs: Outputs,
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
        let strategy = program.strategy.unwrap_or(DEFAULT_STRATEGY);
        Ok(Campaign {
            searched: Searched::Program { check: program.check()?, strategy },
            threads: vec![1],
            sanitizers: resolve::chosen(None, program.sanitizers.as_deref(), &resolve::SANITIZERS),
            engine,
            engine_is_given: self.engine.is_some(),
            seed: self.seed,
            jobs: world.jobs(self.jobs)?,
            budget: self.limits.budget(DEFAULT_BUDGET),
            executions: self.limits.executions,
            stop_at_first: self.stop_at_first,
            audit: self.audit,
            minimise: self.limits.minimise(),
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
    flags.outputs.can_be_written()?;
    interrupt::listen()?;
    let named = programs.iter().map(|program| program.named.as_ref().map(|named| named.name.as_str())).zip(campaigns);
    if flags.sources.is_empty() {
        return each(named, &flags.outputs, &workshop);
    }
    let Some((name, campaign)) = named.into_iter().next() else { return Ok(false) };
    let name =
        name.map_or_else(|| campaign.searched.target(&workshop).map(|target| target.name), |name| Ok(name.to_owned()));
    explore_alone("check", &name?, campaign, &workshop, &flags.outputs)
}

/// Explores one program after the other, whatever comes of each.
fn each<'a>(
    campaigns: impl Iterator<Item = (Option<&'a str>, Campaign)>,
    outputs: &Outputs,
    workshop: &Workshop,
) -> Result<bool> {
    let mut explored: Vec<Explored> = Vec::new();
    for (name, campaign) in campaigns {
        let name = name.unwrap_or_default();
        let of = |outcome: &str| Explored {
            name: name.to_owned(),
            campaign: campaign.clone(),
            outcome: Err(outcome.to_owned()),
        };
        if interrupt::requested() {
            explored.push(of("interrupted before it began"));
            continue;
        }
        say(format!("{}{name}", if explored.is_empty() { "" } else { "\n" }));
        let outcome = explore(name, campaign.clone(), workshop);
        explored.push(outcome.unwrap_or_else(|error| of(&format!("{error:#}"))));
    }
    let summary = Summary::of("check", explored);
    outputs.write(&summary, |summary| json::Targets::new(&summary.targets))?;
    let why = |target: &Explored| Some(format!("{}: {}", target.name, target.failure()?));
    let failed = summary.targets.iter().filter_map(why).collect::<Vec<_>>().join("\n");
    let found = summary.found();
    ensure!(found || failed.is_empty(), "{failed}");
    if !failed.is_empty() {
        say(format!("\n{failed}"));
    }
    Ok(found)
}
