//! `threadbare debug`: the failing execution of a case under a debugger, stopped at a step.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::limits::duration;
use super::opened::{Opened, Trusted};
use super::world::World;
use crate::campaign::debug::{Debugged, Debugger};
use crate::campaign::explain;
use crate::campaign::interrupt;
use crate::campaign::laboratory::Laboratory;
use crate::campaign::minimise::minimise;
use crate::campaign::replay::Seen;
use crate::case::Case;
use crate::process;
use crate::report::progress::ProgressLine;
use crate::report::{grouped, reasons, say};
use crate::scratch::Scratch;
use crate::terminal;

#[derive(Debug, Args)]
#[command(after_help = "\
In gdb, `tb help` lists what there is beside its own commands: `tb threads`, `tb next-switch`, `tb until STEP`, `tb coroutines`.

Examples:
  threadbare debug found.case                                    stopped before its first step
  threadbare debug found.case --at critical                      stopped before the step that decides
  threadbare debug found.case --at 12 -- -batch -ex \"tb threads\"  what gdb is told besides
  threadbare debug found.case --launch-json found.debug          a configuration for VS Code")]
pub struct Flags {
    /// A case that fails.
    case: PathBuf,
    /// Stop before this step, of those that `show --format html` numbers, or at the critical point that `explain` finds.
    #[arg(long, value_name = "STEP|critical", default_value = "0")]
    at: At,
    /// gdb or lldb, by its path or its name on PATH; the commands `tb` are gdb's alone.
    #[arg(long, value_name = "DEBUGGER", default_value = "gdb")]
    debugger: PathBuf,
    /// What the debugger is told of a runtime's code: all, for which it is compiled once more, or functions and lines alone.
    #[arg(long, value_enum, default_value = "all")]
    symbols: Symbols,
    /// Start no debugger: keep what the execution needs in this directory, and print a launch.json of VS Code's for it.
    #[arg(long, value_name = "DIRECTORY")]
    launch_json: Option<PathBuf>,
    /// Time to look for the critical point: at most.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    budget: Duration,
    #[command(flatten)]
    trusted: Trusted,
    /// Arguments of the debugger's.
    #[arg(last = true)]
    arguments: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Symbols {
    All,
    Lines,
}

#[derive(Clone, Copy, Debug)]
enum At {
    Step(u64),
    Critical,
}

impl FromStr for At {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "critical" => Ok(Self::Critical),
            _ => text.parse().map(Self::Step).map_err(|_| anyhow!("neither the number of a step nor `critical`")),
        }
    }
}

pub fn run(flags: &Flags, world: &World) -> Result<()> {
    let debugger = Debugger::of(&flags.debugger)?;
    ensure!(
        debugger == Debugger::Gdb || flags.launch_json.is_none(),
        "--launch-json is for gdb; name one with `--debugger`, or leave it out"
    );
    let program = found(&flags.debugger)?;
    interrupt::listen()?;
    let line = ProgressLine::new();
    let workshop = world.workshop()?;
    let Opened { case, mut laboratory } = match flags.symbols {
        Symbols::All => flags.trusted.open_with_symbols(&flags.case, world, &workshop, &line)?,
        Symbols::Lines => flags.trusted.open(&flags.case, world, &workshop, &line)?,
    };
    ensure!(
        case.schedule.is_some(),
        "{}: the case has no schedule to follow: it was recorded without control; record one with `--engine fibers` or \
         `--engine threads`",
        flags.case.display()
    );
    let Stop { case, step, steps } = flags.stop(case, &mut laboratory, &line)?;
    drop(line);
    let executable = env::current_exe().context("cannot tell where this executable is")?;
    let target = laboratory.target().clone();
    if let Some(directory) = &flags.launch_json {
        let debugged = Debugged::prepare(directory, &case, &target, step)?;
        let name = flags.case.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let here = env::current_dir().context("cannot tell the current directory")?;
        let configuration = debugged.launch_configuration(&program, &executable, &name, &here);
        terminal::print(&format!("{:#}\n", json!({ "version": "0.2.0", "configurations": [configuration] })));
        return Ok(());
    }
    let scratch = Scratch::new()?;
    let debugged = Debugged::prepare(&scratch.path().join("debugged"), &case, &target, step)?;
    say(format!("{} steps; stops before step {step}", grouped(steps)));
    let mut command = debugged.command(debugger, &program, &executable, &flags.arguments);
    let started = command.spawn();
    let mut child = started.with_context(|| format!("cannot start {}", program.display()))?;
    // The debugger's own from here on.
    process::ignore_interrupts();
    child.wait().with_context(|| format!("cannot wait for {}", program.display()))?;
    say(debugged.told(&case));
    Ok(())
}

/// Where an execution stops.
struct Stop {
    case: Case,
    step: u64,
    /// How many there are.
    steps: u64,
}

impl Flags {
    fn stop(&self, case: Case, laboratory: &mut Laboratory, line: &ProgressLine) -> Result<Stop> {
        match self.at {
            At::Step(step) => {
                let ended = laboratory.replay(&case)?;
                let seen = Seen::of(&ended);
                if let Seen::Diverged(_) = seen {
                    bail!(
                        "{}: the case {seen}, so what fails is not what there is now; see `threadbare verify`, or record it anew",
                        self.case.display()
                    );
                }
                let steps = ended.outcome.steps.len() as u64;
                ensure!(
                    step < steps.max(1),
                    "there is no step {step}: the execution has {steps} steps, counted from 0; choose one below, or `--at critical`"
                );
                Ok(Stop { case, step, steps })
            }
            At::Critical => {
                let deadline = Instant::now() + self.budget;
                let smaller = minimise(laboratory, &case, Some(self.budget / 2), |so_far| line.minimising(so_far))?;
                let found = explain::reasons(laboratory, &smaller, Some(deadline), |sampled| line.sampling(sampled))?;
                let critical = found.critical.filter(|_| found.around.is_some());
                let Some(index) = critical else {
                    bail!("{}: there is no single critical point; name a step with `--at STEP`", self.case.display());
                };
                say(format!("critical point: {}", reasons::told(&found.account.steps[index])));
                let steps = found.account.steps.len() as u64;
                Ok(Stop { case: smaller.case, step: index as u64, steps })
            }
        }
    }
}

/// The debugger's executable.
fn found(program: &Path) -> Result<PathBuf> {
    let missing = || {
        format!(
            "there is no {} here; install gdb (`apt install gdb`), or name a debugger with `--debugger`",
            program.display()
        )
    };
    let is_there = |path: &Path| match path.metadata() {
        Ok(metadata) => Ok(metadata.is_file()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(missing),
    };
    if program.components().count() > 1 {
        ensure!(is_there(program)?, "{}", missing());
        return Ok(program.to_owned());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let named = env::split_paths(&path).map(|directory| directory.join(program)).find(|path| path.is_file());
    named.with_context(missing)
}
