//! `threadbare bugs`: how many executions it takes to find each seeded bug.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use super::resolve;
use super::search::{Name, SearchFlags};
use super::world::{World, build_on};
use crate::campaign::bugs::{Measured, Measurement, geometric_mean};
use crate::campaign::catalogue::{self, CATALOGUE, Entry};
use crate::campaign::interrupt;
use crate::campaign::minimise::{Minimisation, Smallest};
use crate::model::settings::Engine;
use crate::model::word;
use crate::report::progress::ProgressLine;
use crate::report::{grouped, json, say, table};
use crate::target::{Toolchain, Workshop, bundled};
use crate::task_graph::{self, Shape};
use crate::whole_file::{can_write, write_whole};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare bugs --list                        what they are
  threadbare bugs lost-notify --trials 5        five searches for one
  threadbare bugs --trials 20 --json bugs.json  all of them, for about a minute")]
pub struct Flags {
    /// The seeded bugs to look for [default: all].
    names: Vec<String>,
    /// Searches for each seeded bug.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    trials: u64,
    /// Executions after which a search is given up.
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..))]
    cap: u64,
    /// Search by uncontrolled stress too, with as many executions.
    #[arg(long)]
    free: bool,
    /// How virtual threads run [default: fibers if built with clang, else threads].
    #[arg(long, value_enum)]
    engine: Option<Engine>,
    #[command(flatten)]
    search: SearchFlags,
    /// Write a case of each seeded bug, made small, to this directory.
    #[arg(long)]
    cases: Option<PathBuf>,
    /// Describe each seeded bug and stop.
    #[arg(long)]
    list: bool,
    /// Workers at a time [default: `jobs` of threadbare.toml, else one for each core].
    #[arg(long)]
    jobs: Option<usize>,
    /// Write the results to this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

impl Flags {
    fn resolve(&self, world: &World, toolchain: &Toolchain) -> Result<Measurement> {
        let engine = resolve::engine(self.engine, toolchain)?;
        Ok(Measurement {
            entries: self.entries()?,
            trials: self.trials,
            cap: self.cap,
            free: self.free,
            runtime: "bundled".to_owned(),
            engine,
            feedback: self.search.resolve(engine, Name::Generational)?,
            shape: Shape::of_size(task_graph::DEFAULT_SIZE),
            jobs: world.jobs(self.jobs)?,
        })
    }

    fn entries(&self) -> Result<Vec<&'static Entry>> {
        if self.names.is_empty() {
            return Ok(CATALOGUE.iter().collect());
        }
        let entry = |name: &String| {
            bundled::bug(name)?;
            catalogue::by_name(name).with_context(|| format!("the bug \"{name}\" is not in the catalogue yet"))
        };
        self.names.iter().map(entry).collect()
    }
}

/// Something was found if a search did not find its bug: then it is not as good as it should be.
pub fn run(flags: &Flags, world: &World) -> Result<bool> {
    if flags.list {
        list(&flags.entries()?);
        return Ok(false);
    }
    let workshop = world.workshop()?;
    let measurement = flags.resolve(world, &workshop.toolchain)?;
    flags.json.iter().try_for_each(|path| can_write(path))?;
    if let Some(directory) = &flags.cases {
        std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
        can_write(&directory.join("case"))?;
    }
    interrupt::listen()?;
    let line = ProgressLine::new();
    let targets = measurement.build(&workshop, build_on(&line))?;
    let (measured, clean) = measurement.run(&targets, |done, total| line.count(done, total, "searches"))?;
    drop(line);
    say(table::of_bugs(&measured));
    if interrupt::requested() {
        say("\ninterrupted: searches that were not made count as not found");
    }
    for bug in &measured {
        for other in &bug.controlled.others {
            say(format!("\n{}: found something else, {}: {}", bug.entry.name, word(&other.verdict), other.message));
        }
    }
    for finding in &clean.findings {
        say(format!("\nwithout any bug: {}: {}", word(&finding.verdict), finding.message));
    }
    if let Some(mean) = geometric_mean(&measured) {
        say(format!("\ngeometric mean over the bugs: {mean:.1} executions"));
    }
    say(format!("\n{} executions without any bug, {} findings", grouped(clean.executions), clean.findings.len()));
    if let Some(path) = &flags.json {
        json::write(path, &json::Bugs::new(&measured, &clean))?;
    }
    if let Some(directory) = flags.cases.as_ref().filter(|_| !interrupt::requested()) {
        keep_cases(directory, &measured, &workshop, measurement.jobs)?;
    }
    let missed = measured.iter().any(|bug| bug.controlled.found() < bug.controlled.trials);
    Ok(missed || !clean.findings.is_empty())
}

/// What each bug is, how it shows, and how it is looked for.
fn list(entries: &[&Entry]) {
    for entry in entries {
        let summary = bundled::bug(entry.name).map_or("", |bug| bug.summary);
        let verdicts: Vec<String> = entry.verdicts.iter().map(word).collect();
        say(format!(
            "{} ({})\n  {summary}\n  looked for with sanitizer {}, {} threads, strategy {}, memory {}\n  shows as {}",
            entry.name,
            entry.scenario,
            word(&entry.sanitizer),
            entry.threads,
            word(&entry.strategy),
            word(&entry.memory),
            verdicts.join(", ")
        ));
    }
}

/// Schedules that a task graph gets to show the bug, while it is made small.
const ATTEMPTS: u64 = 1000;

fn keep_cases(directory: &Path, measured: &[Measured], workshop: &Workshop, jobs: usize) -> Result<()> {
    for bug in measured {
        let Some(case) = bug.controlled.case.clone() else { continue };
        let minimisation = Minimisation::new(case, ATTEMPTS, jobs)?;
        let targets = minimisation.build(workshop, |_| !interrupt::requested())?;
        let Smallest { mut case, graph } = minimisation.run(&targets, |_| {})?;
        // The rest, stacks and timelines, is of this build and machine.
        case.report.truncate(case.report.find('\n').unwrap_or(case.report.len()));
        let path = directory.join(format!("{}.case", bug.entry.name));
        write_whole(&path, case.to_string().as_bytes())?;
        say(format!("{}: {} operations", path.display(), graph.operation_count()));
    }
    Ok(())
}
