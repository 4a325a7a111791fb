//! `threadbare ci`: the one command of a CI job.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::Args;

use super::each_test;
use super::limits::Limits;
use super::outputs::Outputs;
use super::program::Program;
use super::setting::Setting;
use super::world::World;
use super::{fuzz, outputs, resolve};
use crate::campaign::ci::{Ci, Exploration, Summary, failed};
use crate::campaign::corpus::Corpus;
use crate::campaign::explorer::Campaign;
use crate::campaign::quota::part;
use crate::campaign::{interrupt, replay};
use crate::check::framework::EachTest;
use crate::model::settings::Engine;
use crate::model::word;
use crate::project::Kind;
use crate::report::progress::ProgressLine;
use crate::report::{json, replays, say};
use crate::target::Workshop;

/// Time of a job that is given neither time nor executions.
const DEFAULT_BUDGET: Duration = Duration::from_secs(3 * 60);
/// Where regression cases lie unless another directory is named.
const DEFAULT_REGRESSIONS: &str = "tests/corpus";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare ci --junit junit.xml --sarif threadbare.sarif  for three minutes
  threadbare ci --executions 100000 --seed 1                the same job each time
  threadbare ci --regressions cases --runtime bundled       one runtime, other cases")]
pub struct Flags {
    #[command(flatten)]
    limits: Limits,
    /// Directory of regression cases, of which those of the sanitizers are replayed [default: `cases` of threadbare.toml,
    /// else tests/corpus if it exists].
    #[arg(long, value_name = "DIRECTORY")]
    regressions: Option<PathBuf>,
    #[command(flatten)]
    explored: fuzz::Exploring,
    #[command(flatten)]
    outputs: Outputs,
}

impl Flags {
    fn resolve(&self, world: &World, workshop: &Workshop) -> Result<Ci> {
        let setting = self.explored.setting(world, &workshop.toolchain, &self.limits)?;
        let budget = self.limits.budget(DEFAULT_BUDGET);
        let trust = world.trust()?;
        let regressions = self.regressions(world)?.map(|paths| replay::Plan {
            paths,
            repeat: 1,
            engine: None,
            sanitizer: None,
            bug: self.explored.bug.clone(),
            jobs: setting.jobs,
            trust,
            trusts_named: false,
        });
        let explorations = self.explorations(world, workshop, &setting, budget)?;
        Ok(Ci { regressions, explorations, budget, engine: setting.engine, seed: setting.seed })
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

    /// The program, with what the command line says in place of the project file.
    fn overriding(&self, program: Program) -> Program {
        Program {
            sanitizers: self.explored.sanitizer.clone().or(program.sanitizers),
            strategy: self.explored.strategy.or(program.strategy),
            ..program
        }
    }

    /// Every target of the project, or the runtime that is asked for.
    fn explorations(
        &self,
        world: &World,
        workshop: &Workshop,
        setting: &Setting,
        budget: Option<Duration>,
    ) -> Result<Vec<Exploration>> {
        let is_of_one = self.explored.runtime.is_some() || self.explored.bug.is_some();
        let Some(project) = world.project()?.filter(|project| !is_of_one && !project.targets.is_empty()) else {
            let name = self.explored.runtime();
            let campaign =
                self.explored.campaign(name, world, workshop, setting, (budget, self.limits.executions), false)?;
            return Ok(vec![Exploration { name: name.to_owned(), campaign }]);
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
            let executions = self.limits.executions.map(|total| part(total, index, count));
            let limits = (budget, executions);
            let campaign = match target.kind {
                Kind::Runtime => self.explored.campaign(&target.name, world, workshop, setting, limits, false)?,
                Kind::Program => {
                    ensure!(
                        setting.engine != Engine::Free,
                        "the engine free controls nothing, and the project has programs; choose fibers or threads"
                    );
                    let program = self.overriding(Program::of(target, project));
                    let campaign = setting.of_program(&program, limits)?;
                    if let Some(each) = program.each_test {
                        explorations.extend(tests(&program, each, &target.name, &campaign, workshop)?);
                        continue;
                    }
                    campaign
                }
            };
            explorations.push(Exploration { name: target.name.clone(), campaign });
        }
        Ok(explorations)
    }
}

pub fn run(flags: &Flags, world: &World) -> Result<bool> {
    let workshop = world.workshop()?;
    let ci = flags.resolve(world, &workshop)?;
    flags.outputs.can_be_written()?;
    if let Some(directory) = ci.explorations.iter().find_map(|exploration| exploration.campaign.searched.corpus()) {
        Corpus::open(directory)?;
    }
    interrupt::listen()?;
    say(format!("seed {}, engine {}", ci.seed, word(&ci.engine)));
    let line = ProgressLine::new();
    let summary = ci.run(&workshop, resolve::engine_like(&workshop.toolchain), |progress| line.ci(progress))?;
    drop(line);
    print(&summary);
    let written = flags.outputs.write(&summary, json::Ci::new);
    match summary.shortfall() {
        Some(why) if summary.found() || written.is_err() => say(format!("\nnot everything could be done: {why}")),
        Some(why) => bail!("{why}"),
        None => {}
    }
    written.map(|()| summary.found())
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
        return outputs::print(fuzz, &summary.targets[0].campaign);
    }
    for target in &summary.targets {
        say(&target.name);
        match &target.outcome {
            Ok(explored) => outputs::print(explored, &target.campaign),
            Err(_) => say("not explored"),
        }
        say("");
    }
}

/// The tests of a program, which share its executions.
fn tests(
    program: &Program,
    each: EachTest,
    name: &str,
    campaign: &Campaign,
    workshop: &Workshop,
) -> Result<Vec<Exploration>> {
    let tests = each_test::of(program, each, name, campaign, workshop)?;
    say(tests.line(name));
    let mut explorations = tests.explorations;
    let count = explorations.len() as u64;
    for (index, exploration) in (0..).zip(&mut explorations) {
        exploration.campaign.executions = campaign.executions.map(|total| part(total, index, count));
    }
    Ok(explorations)
}
