//! `threadbare replay`: executes cases again, each in a fresh process.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::resolve;
use super::world::{World, build_on};
use crate::campaign::interrupt;
use crate::campaign::replay::{Plan, Replayed};
use crate::model::settings::{Engine, Sanitizer};
use crate::project::FILE_NAME;
use crate::report::progress::ProgressLine;
use crate::report::{json, replays, say};
use crate::target::bundled;
use crate::whole_file::can_write;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare replay findings                        each case that was found
  threadbare replay findings --repeat 100           a hundred times, each in a fresh process
  threadbare replay small.case --engine threads     with real threads, for a debugger
  threadbare replay small.case --sanitizer address  what it says of a crash")]
pub struct Flags {
    /// Cases, inputs that a fuzz target saved, or directories with any of them [default: `cases` of threadbare.toml].
    paths: Vec<PathBuf>,
    /// How many times to replay each case.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    repeat: u64,
    /// The engine, in place of the case's own.
    #[arg(long, value_enum)]
    engine: Option<Engine>,
    /// The sanitizer, in place of the case's own.
    #[arg(long, value_enum)]
    sanitizer: Option<Sanitizer>,
    /// Switch this seeded bug on for inputs of fuzz targets, which name none.
    #[arg(long)]
    bug: Option<String>,
    /// Also replay cases of checks that are named here and whose sources or flags reach outside of the project (the
    /// directory of threadbare.toml, else the current one): such a case can have the compiler run any program and write any
    /// file. Those below directories are refused all the same.
    #[arg(long)]
    trust: bool,
    /// Workers at a time [default: `jobs` of threadbare.toml, else one for each core].
    #[arg(long)]
    jobs: Option<usize>,
    /// Write the results to this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// What is replayed unless something else is named.
fn cases(world: &World) -> Result<Vec<PathBuf>> {
    let none = |why: String| {
        format!("nothing to replay: {why}; name a directory of cases, or record one with `threadbare fuzz`")
    };
    let cases = world.defaults()?.cases.filter(|cases| !cases.is_empty());
    cases.with_context(|| match world.file() {
        Ok(Some(file)) => none(format!("no path is given, and {file} names no `cases` in [defaults]")),
        _ => none(format!("no path is given, and no {FILE_NAME} here or above names `cases`")),
    })
}

pub fn run(flags: Flags, world: &World) -> Result<bool> {
    let paths = if flags.paths.is_empty() { cases(world)? } else { flags.paths };
    let workshop = world.workshop()?;
    let engine = flags.engine.map(|engine| resolve::engine(Some(engine), &workshop.toolchain)).transpose()?;
    let jobs = world.jobs(flags.jobs)?;
    if let Some(bug) = &flags.bug {
        bundled::bug(bug)?;
    }
    flags.json.iter().try_for_each(|path| can_write(path))?;
    interrupt::listen()?;
    let plan = Plan {
        paths,
        repeat: flags.repeat,
        engine,
        sanitizer: flags.sanitizer,
        bug: flags.bug,
        jobs,
        trust: world.trust()?,
        trusts_named: flags.trust,
    };
    let (mut results, mut refused) = plan.read(&workshop, resolve::engine_like(&workshop.toolchain))?;
    let line = ProgressLine::new();
    refused.extend(plan.replay(&workshop, &mut results, build_on(&line))?);
    drop(line);
    let made: u64 = results.iter().map(|result| result.seen.len() as u64).sum();
    let missing = results.len() as u64 * flags.repeat - made;
    results.retain(Replayed::was_replayed);
    for result in &results {
        say(replays::line(result));
    }
    let totals = replays::Totals::of(&results);
    if !results.is_empty() || refused.is_empty() {
        say(totals);
    }
    if let Some(path) = &flags.json {
        json::write(path, &json::Replay::new(&results, missing, &refused))?;
    }
    match &refused[..] {
        [] => {}
        [one] => bail!("{}", one.why),
        all => {
            let whys: String = all.iter().map(|refused| format!("\n  {}", refused.why)).collect();
            bail!("{} files could not be replayed{whys}", all.len());
        }
    }
    if totals.failed() == 0 && missing > 0 {
        bail!("interrupted: {missing} of {} replays were not made", made + missing);
    }
    Ok(totals.failed() > 0)
}
