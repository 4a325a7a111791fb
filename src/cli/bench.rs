//! `threadbare bench`: the throughput under control against that of uncontrolled stress.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use super::resolve;
use super::world::World;
use crate::campaign::bench::Bench;
use crate::campaign::interrupt;
use crate::campaign::strategies::Comparison;
use crate::model::settings::Sanitizer;
use crate::report::progress::ProgressLine;
use crate::report::{json, say, table, throughput};
use crate::target::Workshop;
use crate::task_graph::{self, Shape, Systems};
use crate::whole_file::can_write;

#[derive(Debug, Args)]
pub struct Flags {
    /// Thread count, main thread included.
    #[arg(long, default_value = "4", value_parser = resolve::thread_count)]
    threads: u16,
    /// Sanitizers to measure under.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "none,thread,address")]
    sanitizer: Vec<Sanitizer>,
    /// The engine to measure against `free` [default: fibers if built with clang, else threads].
    #[arg(long, value_enum)]
    engine: Option<resolve::Controlled>,
    /// Size of the task graphs, in about tasks.
    #[arg(long, default_value_t = task_graph::DEFAULT_SIZE)]
    size: u32,
    /// Which systems task graphs use besides the scheduler. Calls on files take a while in
    /// the kernel with control and without, so they say nothing about it.
    #[arg(long, value_enum, default_value_t = Systems::None)]
    systems: Systems,
    /// Executions of each engine in each of the rounds: many, since the first ones of a process take longer.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    executions: u64,
    /// Measure on the examples to check in this directory instead: the throughput of one, and how many executions each
    /// strategy takes to the first finding in each.
    #[arg(long, value_name = "DIRECTORY")]
    examples: Option<PathBuf>,
    /// Searches for each example and strategy.
    #[arg(long, default_value_t = 20, requires = "examples", value_parser = clap::value_parser!(u64).range(1..))]
    trials: u64,
    /// Executions after which a search gives up.
    #[arg(long, default_value_t = 10_000, requires = "examples", value_parser = clap::value_parser!(u64).range(1..))]
    cap: u64,
    /// Write the results to this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

pub fn run(flags: &Flags, world: &World) -> Result<()> {
    let workshop = world.workshop()?;
    match &flags.examples {
        Some(directory) => compare(flags, directory, &workshop),
        None => measure(flags, &workshop),
    }
}

/// Compares the strategies on examples.
fn compare(flags: &Flags, directory: &Path, workshop: &Workshop) -> Result<()> {
    let comparison = Comparison {
        directory: directory.to_owned(),
        trials: flags.trials,
        cap: flags.cap,
        engine: resolve::controlled_engine(flags.engine, &workshop.toolchain)?,
        jobs: workshop.jobs,
    };
    flags.json.iter().try_for_each(|path| can_write(path))?;
    interrupt::listen()?;
    let throughputs = comparison.throughput(workshop, &resolve::distinct(&flags.sanitizer))?;
    say(throughput::table(&throughputs));
    let line = ProgressLine::new();
    let measured = comparison.run(workshop, |done, total| line.count(done, total, "searches"))?;
    drop(line);
    say(table::of_strategies(&measured));
    if let Some(path) = &flags.json {
        json::write(path, &json::Strategies::new(&throughputs, &measured))?;
    }
    Ok(())
}

fn measure(flags: &Flags, workshop: &Workshop) -> Result<()> {
    resolve::size(flags.size)?;
    let bench = Bench {
        runtime: "bundled".to_owned(),
        sanitizers: resolve::distinct(&flags.sanitizer),
        threads: flags.threads,
        shape: Shape { systems: flags.systems, ..Shape::of_size(flags.size) },
        executions: flags.executions,
        engine: resolve::controlled_engine(flags.engine, &workshop.toolchain)?,
    };
    flags.json.iter().try_for_each(|path| can_write(path))?;
    interrupt::listen()?;
    let line = ProgressLine::new();
    let throughputs = bench.run(workshop, |done, total| line.count(done, total, "measurements"))?;
    drop(line);
    say(throughput::table(&throughputs));
    if let Some(path) = &flags.json {
        json::write(path, &throughput::Bench::new(&throughputs))?;
    }
    Ok(())
}
