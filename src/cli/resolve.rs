//! What several subcommands ask of the world: engines, strategies, sizes and how many workers to run.

use std::env;
use std::thread::available_parallelism;

use anyhow::{Result, anyhow, bail, ensure};
use clap::ValueEnum;

use crate::model::settings::{Engine, MAX_JOBS, MAX_THREADS, NoStrategy, Sanitizer, StrategyName};
use crate::model::word;
use crate::target::{self, Toolchain};
use crate::task_graph;
use crate::terminal;

/// The compiler that makes the fast engine possible.
const RECOMMENDED: &str = "apt-get install clang-22 libclang-rt-22-dev";

/// Parses one thread count.
pub fn thread_count(text: &str) -> Result<u16, String> {
    let count = text.trim().parse::<u16>().ok().filter(|count| (1..=MAX_THREADS).contains(count));
    count.ok_or_else(|| format!("a thread count is a number from 1 to {MAX_THREADS}"))
}

/// Parses the strategy of a campaign, whose executions must be the same however it is divided over workers.
pub fn campaign_strategy(word: &str) -> Result<StrategyName, String> {
    let strategy: StrategyName = word.parse().map_err(|error: NoStrategy| error.to_string())?;
    if strategy == StrategyName::Bytes {
        return Err("the strategy bytes replays the choices of a fuzzer's input, and a campaign has no input; choose random, pct or pos".to_owned());
    }
    if strategy.learns() {
        return Err(format!(
            "{strategy} learns from executions of one task graph, and a campaign executes each a few times only; \
             choose random, pct or pos"
        ));
    }
    Ok(strategy)
}

/// Whether AddressSanitizer's build tells plain accesses from atomic operations.
#[must_use]
pub fn tells_atomics(toolchain: &Toolchain) -> bool {
    !target::has_points_at_checks_alone(toolchain, Sanitizer::Address)
}

/// The engine that was asked for, or the fastest that the compiler makes possible.
pub fn engine(wanted: Option<Engine>, toolchain: &Toolchain) -> Result<Engine> {
    let description = toolchain.description();
    match wanted {
        Some(Engine::Fibers) if !toolchain.is_clang => bail!(
            "the engine fibers needs clang, and the compiler is {description}; `{RECOMMENDED}`, name another with `--cxx`, \
             or use `--engine threads`"
        ),
        Some(engine) => Ok(engine),
        None if toolchain.is_clang => Ok(Engine::Fibers),
        None => {
            terminal::complain(format_args!(
                "note: the compiler is {description}, so the slower engine `threads` is used; for the engine `fibers`: \
                 {RECOMMENDED}"
            ));
            Ok(Engine::Threads)
        }
    }
}

/// An engine that controls what it executes.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Controlled {
    /// All on one OS thread. Needs clang.
    Fibers,
    /// Real OS threads, one released at a time.
    Threads,
}

impl From<Controlled> for Engine {
    fn from(engine: Controlled) -> Self {
        match engine {
            Controlled::Fibers => Self::Fibers,
            Controlled::Threads => Self::Threads,
        }
    }
}

/// As [`engine`], where executions must be controlled.
pub fn controlled_engine(wanted: Option<Controlled>, toolchain: &Toolchain) -> Result<Engine> {
    engine(wanted.map(Engine::from), toolchain)
}

/// The engine for a case that was recorded with another one: the choices fit both controlled engines.
pub fn engine_like(toolchain: &Toolchain) -> impl Fn(Engine) -> Engine {
    let has_fibers = toolchain.is_clang;
    move |recorded| if recorded == Engine::Fibers && !has_fibers { Engine::Threads } else { recorded }
}

/// Checks the size of task graphs.
pub fn size(size: u32) -> Result<()> {
    let most = task_graph::MAX_SIZE;
    ensure!((1..=most).contains(&size), "size {size} is out of bounds: choose 1 to {most}");
    Ok(())
}

/// The sanitizers that the environment names for a whole build, if it does.
///
/// # Errors
/// One is none.
pub fn sanitizers_of_environment() -> Result<Option<Vec<Sanitizer>>> {
    const VARIABLE: &str = "THREADBARE_SANITIZER";
    let Some(words) = env::var(VARIABLE).ok().filter(|words| !words.trim().is_empty()) else { return Ok(None) };
    let parse =
        |word: &str| Sanitizer::from_str(word.trim(), false).map_err(|why| anyhow!("{VARIABLE}={words}: {why}"));
    words.split(',').map(parse).collect::<Result<_>>().map(Some)
}

/// What subcommands explore under unless something else is said.
pub const SANITIZERS: [Sanitizer; 3] = [Sanitizer::None, Sanitizer::Thread, Sanitizer::Address];
/// Thread counts of runtimes, likewise.
pub const THREADS: [u16; 4] = [1, 2, 4, 8];

/// What the command line says, else what the project file says, else the built-in default; nothing twice.
pub fn chosen<T: Copy + PartialEq>(said: Option<&[T]>, preset: Option<&[T]>, default: &[T]) -> Vec<T> {
    distinct(said.or(preset).unwrap_or(default))
}

/// The number of workers: as wanted, or one for each core.
pub fn jobs(wanted: Option<usize>) -> Result<usize> {
    let jobs = wanted.unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
    ensure!((1..=MAX_JOBS).contains(&jobs), "{jobs} jobs are out of bounds: choose 1 to {MAX_JOBS}");
    Ok(jobs)
}

/// Leaves out what was named before.
pub fn distinct<T: Copy + PartialEq>(values: &[T]) -> Vec<T> {
    let mut distinct = Vec::new();
    for value in values {
        if !distinct.contains(value) {
            distinct.push(*value);
        }
    }
    distinct
}

/// The engines that the compiler makes possible, by name.
pub fn engines(toolchain: &Toolchain) -> Vec<String> {
    let all = [Engine::Fibers, Engine::Threads, Engine::Free];
    all.iter().filter(|engine| **engine != Engine::Fibers || toolchain.is_clang).map(word).collect()
}
