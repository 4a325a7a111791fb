//! `threadbare minimise`: makes the task graph, the threads, the arguments and the schedule of a case as small as they can be.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;

use super::limits::duration;
use super::opened::{Opened, Trusted};
use super::world::{World, build_on};
use crate::campaign::interrupt;
use crate::campaign::laboratory::Laboratory;
use crate::campaign::minimise::{Minimisation, Minimised, Shortened, Smallest, minimise, shorten};
use crate::case::{Case, Workload};
use crate::check::Check;
use crate::model::word;
use crate::report::progress::ProgressLine;
use crate::report::{minimised, say};
use crate::whole_file::{can_write, write_whole};

/// Where no time is set.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare minimise found.case                                      to found.min.case
  threadbare minimise found.min.case --output found.min.case          goes on where it was interrupted
  threadbare minimise found.case --output small.case --attempts 2000  for rare schedules

Numbers in the arguments of a program (`1000`, `--rounds=1000`, `-n1000`) are tried smaller too.")]
pub struct Flags {
    /// A case that fails.
    case: PathBuf,
    /// Where the smaller case goes [default: beside the case, as NAME.min.case].
    #[arg(long)]
    output: Option<PathBuf>,
    /// Schedules that a smaller task graph, or a smaller number in the arguments of a program, gets to fail under.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    attempts: u64,
    /// Time for the arguments and the schedule, each half: at most.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    budget: Option<Duration>,
    #[command(flatten)]
    trusted: Trusted,
    /// Workers at a time [default: `jobs` of threadbare.toml, else one for each core].
    #[arg(long)]
    jobs: Option<usize>,
}

pub fn run(flags: Flags, world: &World) -> Result<()> {
    let given = Case::read(&flags.case)?;
    ensure!(
        given.verdict != crate::model::verdict::Verdict::Clean,
        "the case is clean, so there is nothing to make small; name one that fails"
    );
    let output = flags.output.clone().unwrap_or_else(|| flags.case.with_extension("min.case"));
    can_write(&output)?;
    interrupt::listen()?;
    let line = ProgressLine::new();
    let (case, mut laboratory) = match &given.workload {
        Workload::TaskGraph(_) => smallest_graph(&flags, given.clone(), world, &line)?,
        Workload::Check(_) => {
            let Opened { case, laboratory } = flags.trusted.open(&flags.case, world, &world.workshop()?, &line)?;
            (case, laboratory)
        }
    };
    let begun = Instant::now();
    let half = flags.budget.map_or(LONGEST, |budget| budget / 2);
    let Shortened { case, changed } = shorten(&mut laboratory, &case, flags.attempts, begun + half, |argument| {
        line.arguments(argument);
    })?;
    let left = flags.budget.map(|budget| budget.saturating_sub(begun.elapsed()));
    let smaller = minimise(&mut laboratory, &case, left, |so_far| line.minimising(so_far))?;
    drop(line);
    for (before, after) in &changed {
        say(format!("argument {before} came to {after}"));
    }
    let workload = match (&given.workload, &smaller.case.workload) {
        // As it was written, with paths that hold where the case lies.
        (Workload::Check(given), Workload::Check(smaller)) => {
            Check { arguments: smaller.arguments.clone(), ..given.clone() }.into()
        }
        (_, smaller) => smaller.clone(),
    };
    write_whole(&output, Case { workload, ..smaller.case.clone() }.to_string().as_bytes())?;
    tell(&given, &smaller, &output);
    Ok(())
}

/// The case with the smallest task graph and fewest threads that it comes to.
fn smallest_graph(flags: &Flags, given: Case, world: &World, line: &ProgressLine) -> Result<(Case, Laboratory)> {
    let minimisation = Minimisation::new(given, flags.attempts, world.jobs(flags.jobs)?)?;
    let total = minimisation.graph().operation_count() as u64;
    let targets = minimisation.build(&world.workshop()?, build_on(line))?;
    let Smallest { case, .. } = minimisation
        .run(&targets, |left| line.count(total.saturating_sub(left as u64), total, "operations left out"))?;
    let [buggy, _] = targets;
    Ok((case, Laboratory::new(buggy)?))
}

/// What became of it.
fn tell(given: &Case, smaller: &Minimised, output: &Path) {
    let size = |case: &Case| match &case.workload {
        Workload::TaskGraph(graph) => Some((graph.tasks.len(), graph.operation_count(), case.settings.threads)),
        Workload::Check(_) => None,
    };
    let verdict = word(&given.verdict);
    if let (Some((tasks, operations, threads)), Some(left)) = (size(given), size(&smaller.case)) {
        say(format!(
            "{verdict}: {tasks} tasks with {operations} operations on {threads} threads came to {} with {} on {}",
            left.0, left.1, left.2
        ));
    }
    say(format!("{verdict}: {}; replay: threadbare replay {}", minimised::text(smaller), output.display()));
}
