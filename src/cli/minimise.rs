//! `threadbare minimise`: makes the task graph of a case as small as it can be.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::world::{World, build_on};
use crate::campaign::findings::{can_write, write_whole};
use crate::campaign::interrupt;
use crate::campaign::minimise::{Minimisation, Smallest};
use crate::case::Case;
use crate::model::word;
use crate::report::progress::ProgressLine;
use crate::report::say;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare minimise found.case                                      to found.min.case
  threadbare minimise found.case --output small.case --attempts 2000  for rare schedules")]
pub struct Flags {
    /// A case that fails.
    case: PathBuf,
    /// Where the smaller case goes [default: beside the case, as NAME.min.case].
    #[arg(long)]
    output: Option<PathBuf>,
    /// Schedules that a smaller task graph gets to fail under.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    attempts: u64,
    /// Workers at a time [default: `jobs` of threadbare.toml, else one for each core].
    #[arg(long)]
    jobs: Option<usize>,
}

pub fn run(flags: Flags, world: &World) -> Result<()> {
    let case = Case::read(&flags.case)?;
    let jobs = world.jobs(flags.jobs)?;
    let output = flags.output.unwrap_or_else(|| flags.case.with_extension("min.case"));
    can_write(&output)?;
    interrupt::listen()?;
    let minimisation = Minimisation::new(case, flags.attempts, jobs)?;
    let (tasks, before) = (minimisation.graph().tasks.len(), minimisation.graph().operation_count());
    let line = ProgressLine::new();
    let targets = minimisation.build(&world.workshop()?, build_on(&line))?;
    let total = before as u64;
    let Smallest { case, graph } = minimisation
        .run(&targets, |left| line.count(total.saturating_sub(left as u64), total, "operations left out"))?;
    drop(line);
    write_whole(&output, case.to_string().as_bytes())?;
    say(format!(
        "{}: {tasks} tasks with {before} operations came to {} with {}; replay: threadbare replay {}",
        word(&case.verdict),
        graph.tasks.len(),
        graph.operation_count(),
        output.display()
    ));
    Ok(())
}
