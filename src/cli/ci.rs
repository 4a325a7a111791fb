//! `threadbare ci`: the one command of a CI job.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use super::check::DEFAULT_STRATEGY;
use super::fuzz::Setting;
use super::program::Program;
use super::world::World;
use super::{fuzz, resolve};
use crate::campaign::ci::{Campaign, Ci, Exploration, Outcome, Summary, failed};
use crate::campaign::corpus::Corpus;
use crate::campaign::findings::{can_write, write_whole};
use crate::campaign::{check, interrupt, replay};
use crate::project::Kind;
use crate::report::progress::ProgressLine;
use crate::report::sarif::Sarif;
use crate::report::{json, junit, replays, say, word};
use crate::settings::Engine;
use crate::target::Workshop;

/// Time of a job that is given neither time nor executions.
const DEFAULT_MINUTES: u64 = 3;
/// A year, which nobody needs.
const MOST_MINUTES: u64 = 527_040;
/// Where regression cases lie unless another directory is named.
const DEFAULT_REGRESSIONS: &str = "tests/corpus";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare ci --junit junit.xml --sarif threadbare.sarif  for three minutes
  threadbare ci --executions 100000 --seed 1                the same job each time
  threadbare ci --regressions cases --runtime bundled       one runtime, other cases")]
pub struct Flags {
    /// Stop after so many minutes, with the replays but without building; targets share them evenly [default: 3, unless
    /// --executions is given].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=MOST_MINUTES))]
    minutes: Option<u64>,
    /// Explore so many executions over all targets, sanitizers and thread counts.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    executions: Option<u64>,
    /// Directory of regression cases, of which those of the sanitizers are replayed [default: `cases` of threadbare.toml,
    /// else tests/corpus if it exists].
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
    fn resolve(&self, world: &World, workshop: &Workshop) -> Result<Ci> {
        let setting = self.explored.setting(world, &workshop.toolchain)?;
        let unlimited = self.minutes.is_none() && self.executions.is_none();
        let minutes = if unlimited { Some(DEFAULT_MINUTES) } else { self.minutes };
        let seconds = minutes.map(|minutes| minutes * 60);
        let regressions = self.regressions(world)?.map(|paths| replay::Plan {
            paths,
            repeat: 1,
            engine: None,
            sanitizer: None,
            bug: self.explored.bug.clone(),
            jobs: setting.jobs,
        });
        let explorations = self.explorations(world, workshop, &setting, seconds)?;
        Ok(Ci { regressions, explorations, seconds, engine: setting.engine, seed: setting.seed })
    }

    /// Where the regression cases are, if there are any.
    fn regressions(&self, world: &World) -> Result<Option<Vec<PathBuf>>> {
        if let Some(directory) = &self.regressions {
            return Ok(Some(vec![directory.clone()]));
        }
        let cases = world.defaults()?.cases.filter(|cases| !cases.is_empty());
        let usual = Path::new(DEFAULT_REGRESSIONS);
        Ok(cases.or_else(|| usual.is_dir().then(|| vec![usual.to_owned()])))
    }

    /// Every target of the project, or the runtime that is asked for.
    fn explorations(
        &self,
        world: &World,
        workshop: &Workshop,
        setting: &Setting,
        seconds: Option<u64>,
    ) -> Result<Vec<Exploration>> {
        let is_of_one = self.explored.runtime.is_some() || self.explored.bug.is_some();
        let Some(project) = world.project()?.filter(|project| !is_of_one && !project.targets.is_empty()) else {
            let name = self.explored.runtime();
            let campaign = self.explored.campaign(name, world, workshop, setting, [seconds, self.executions])?;
            return Ok(vec![Exploration { name: name.to_owned(), campaign: Campaign::Runtime(campaign) }]);
        };
        let targets = &project.targets;
        let runtimes = targets.iter().filter(|target| target.kind == Kind::Runtime).count();
        ensure!(
            runtimes < 2 || self.explored.corpus.is_none(),
            "a corpus is of one runtime, and the project has {runtimes}; name one with `--runtime`, or leave out \
             `--corpus`"
        );
        let count = targets.len() as u64;
        let mut explorations = Vec::new();
        for (index, target) in (0..).zip(targets) {
            let executions = self.executions.map(|total| part(total, index, count));
            let campaign = match target.kind {
                Kind::Runtime => {
                    let limits = [seconds, executions];
                    Campaign::Runtime(self.explored.campaign(&target.name, world, workshop, setting, limits)?)
                }
                Kind::Program => {
                    let program = Program::of(target, project);
                    Campaign::Program(self.program(&program, setting, seconds, executions)?)
                }
            };
            explorations.push(Exploration { name: target.name.clone(), campaign });
        }
        Ok(explorations)
    }

    fn program(
        &self,
        program: &Program,
        setting: &Setting,
        seconds: Option<u64>,
        executions: Option<u64>,
    ) -> Result<check::Campaign> {
        let sanitizers = self.explored.sanitizer.as_deref();
        ensure!(
            setting.engine != Engine::Free,
            "the engine free controls nothing, and the project has programs; choose fibers or threads"
        );
        Ok(check::Campaign {
            check: program.check()?,
            sanitizers: resolve::chosen(sanitizers, program.sanitizers.as_deref(), &resolve::SANITIZERS),
            engine: setting.engine,
            strategy: self.explored.strategy.or(program.strategy).unwrap_or(DEFAULT_STRATEGY),
            seed: setting.seed,
            jobs: setting.jobs,
            seconds,
            executions,
            stop_at_first: false,
            audit: false,
            findings: setting.findings.clone(),
        })
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
    let ci = flags.resolve(world, &workshop)?;
    flags.files().try_for_each(|path| can_write(path))?;
    if let Some(directory) = ci.explorations.iter().find_map(|exploration| exploration.campaign.corpus()) {
        Corpus::open(directory)?;
    }
    interrupt::listen()?;
    say(format!("seed {}, engine {}", ci.seed, word(&ci.engine)));
    let line = ProgressLine::new();
    let summary = ci.run(&workshop, resolve::engine_like(&workshop.toolchain), |progress| line.ci(progress))?;
    drop(line);
    print(&summary);
    flags.write(&summary)?;
    match summary.shortfall() {
        Some(why) if summary.found() => say(format!("\nnot everything could be done: {why}")),
        Some(why) => bail!("{why}"),
        None => {}
    }
    Ok(summary.found())
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
    if let Some(fuzz) = summary.of_bundled_alone() {
        return fuzz::print(fuzz);
    }
    for target in &summary.targets {
        say(&target.name);
        match &target.outcome {
            Outcome::Runtime(summary) => fuzz::print(summary),
            Outcome::Program(summary, campaign) => super::check::print(summary, campaign),
            Outcome::Failed(_) => say("not explored"),
        }
        say("");
    }
}

/// The share of one of `count` targets: the first ones take one more each where the total does not divide.
fn part(total: u64, index: u64, count: u64) -> u64 {
    total / count + u64::from(index < total % count)
}
