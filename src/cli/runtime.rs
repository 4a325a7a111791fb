//! `threadbare runtime`: an adapter to begin with, and whether one does what it says.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};

use super::resolve;
use super::world::{World, build_on};
use crate::campaign::conformance::{Checked, Conformance, Part};
use crate::campaign::interrupt;
use crate::model::offers::Offers;
use crate::model::settings::Sanitizer;
use crate::project::Kind;
use crate::report::progress::ProgressLine;
use crate::report::say;
use crate::target::shipped::skeleton;

#[derive(Debug, Args)]
pub struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write an adapter to begin with, and the project file that names it.
    New {
        /// Made if it is not there.
        directory: PathBuf,
    },
    /// Go through the conformance list of each runtime of a project: its core, each capability alone, then in pairs, and a
    /// seeded bug that must be found.
    Check {
        /// The project's, or one below.
        #[arg(default_value = ".")]
        directory: PathBuf,
        /// This one alone: the project's, or one of those that `threadbare targets` lists.
        #[arg(long, value_name = "NAME")]
        runtime: Option<String>,
        /// The sanitizer to check under.
        #[arg(long, value_enum, default_value_t = Sanitizer::None)]
        sanitizer: Sanitizer,
        /// Thread count, main thread included.
        #[arg(long, default_value = "3", value_parser = resolve::thread_count)]
        threads: u16,
        /// How virtual threads run [default: fibers if built with clang, else threads].
        #[arg(long, value_enum)]
        engine: Option<resolve::Controlled>,
    },
}

const PROJECT: &str = "[runtime.mine]\nsources = [\"adapter.cpp\"]\nthreads = [1, 2, 3]\n";

pub fn run(flags: &Flags, world: &World) -> Result<bool> {
    match &flags.command {
        Command::New { directory } => new(directory).map(|()| false),
        Command::Check { directory, runtime, sanitizer, threads, engine } => {
            env::set_current_dir(directory)
                .with_context(|| format!("cannot go to {}; name the directory of a project", directory.display()))?;
            check(world, runtime.as_deref(), *sanitizer, *threads, *engine)
        }
    }
}

fn new(directory: &Path) -> Result<()> {
    let [adapter, pool] = skeleton();
    let files = [adapter, pool, ("threadbare.toml", PROJECT)];
    for (name, _) in files {
        let path = directory.join(name);
        ensure!(!path.exists(), "{} is there already; name another directory", path.display());
    }
    fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    for (name, text) in files {
        let path = directory.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let place = directory.display();
    say(format!(
        "{place}: an adapter with a thread pool in place of your runtime; next: threadbare runtime check {place}"
    ));
    Ok(())
}

/// Whether something does not work.
fn check(
    world: &World,
    runtime: Option<&str>,
    sanitizer: Sanitizer,
    threads: u16,
    engine: Option<resolve::Controlled>,
) -> Result<bool> {
    let workshop = world.workshop()?;
    let engine = resolve::controlled_engine(engine, &workshop.toolchain)?;
    let names: Vec<String> = match runtime {
        Some(name) => vec![name.to_owned()],
        None => world.targets(Kind::Runtime)?.iter().map(|entry| entry.name.clone()).collect(),
    };
    if names.is_empty() {
        bail!(
            "no runtime to check: threadbare.toml has no [runtime.NAME]; `threadbare runtime new DIR` makes one, \
               `--runtime asio` checks one that is shipped"
        );
    }
    interrupt::listen()?;
    let mut fails = false;
    for name in names {
        let target = workshop.runtime(&name, None)?;
        let conformance = Conformance { target, sanitizer, threads, engine, jobs: world.jobs(None)? };
        let line = ProgressLine::new();
        let (offers, checked) =
            conformance.run(&workshop, build_on(&line), |done, total| line.count(done, total, "parts"))?;
        drop(line);
        ensure!(!interrupt::requested(), "interrupted before everything was checked");
        say(format!("runtime {name}, {threads} threads"));
        tell(&offers, &checked);
        fails |= !checked.iter().all(Checked::works);
    }
    Ok(fails)
}

fn tell(offers: &Offers, checked: &[Checked]) {
    let (mut pairs, mut executions) = (0, 0);
    for each in checked {
        let name = match &each.part {
            Part::Core => "core".to_owned(),
            Part::Alone(one) => one.word().to_owned(),
            Part::Pair(one, other) if !each.works() => format!("{} with {}", one.word(), other.word()),
            Part::Pair(..) => {
                (pairs, executions) = (pairs + 1, executions + each.executions);
                continue;
            }
            Part::SeededBug => {
                let pairs = format!("{pairs} pairs");
                say(format!("  {pairs:<28} works, {executions} executions"));
                "seeded bug".to_owned()
            }
        };
        say(format!("  {name:<28} {}", outcome(each)));
    }
    if !offers.left_out().is_empty() {
        say(format!("not offered, so task graphs do without: {}", offers.left_out().join(", ")));
    }
    let wrong = checked.iter().filter(|each| !each.works()).count();
    say(match wrong {
        0 => "everything that is offered works; next: threadbare fuzz --runtime NAME".to_owned(),
        1 => "1 part does not work".to_owned(),
        more => format!("{more} parts do not work"),
    });
}

fn outcome(checked: &Checked) -> String {
    match (&checked.part, &checked.failure, &checked.incomparable) {
        (_, _, Some((count, why))) => format!("{count} executions could not be judged: {why}"),
        (Part::SeededBug, Some(_), None) => format!("found, as it must be, in execution {}", checked.executions),
        (Part::SeededBug, None, None) => {
            format!("not found in {} executions: no two tasks of this runtime run at once", checked.executions)
        }
        (_, Some(failure), None) => format!("does not work: {}", failure.message),
        (_, None, None) => format!("works, {} executions", checked.executions),
    }
}
