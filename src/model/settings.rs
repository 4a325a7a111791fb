//! The settings of an execution: all of a case but its workload and its schedule.

mod memory_model;
mod races;
mod strategy_name;

use serde::{Deserialize, Serialize};

pub use memory_model::MemoryModel;
pub use races::Races;
pub use strategy_name::{Chance, NoStrategy, StrategyName};

/// How virtual threads run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// All on one OS thread. Needs clang.
    Fibers,
    /// Real OS threads, one released at a time.
    Threads,
    /// No control: ordinary stress.
    Free,
}

/// Which sanitizer the C++ side carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Sanitizer {
    None,
    /// ThreadSanitizer.
    Thread,
    /// AddressSanitizer with UndefinedBehaviorSanitizer.
    Address,
}

impl Sanitizer {
    /// The word that case files and the command line use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Thread => "thread",
            Self::Address => "address",
        }
    }
}

/// The circumstances of an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The runtime that executes a task graph; of a check [`crate::check::RUNTIME`].
    pub runtime: String,
    /// The main thread and `threads - 1` workers; 1 to [`MAX_THREADS`].
    pub threads: u16,
    pub sanitizer: Sanitizer,
    pub engine: Engine,
    pub strategy: StrategyName,
    /// Seed of the strategy.
    pub seed: u64,
    /// The memory model; of a case `sc`, unless its schedule has an operation on an older store.
    #[serde(default)]
    pub memory: MemoryModel,
    #[serde(default)]
    pub races: Races,
    /// The seeded bug that is switched on, if any.
    pub bug: Option<String>,
}

#[cfg(test)]
impl Settings {
    /// Those that tests begin with.
    pub(crate) fn sample() -> Self {
        Self {
            runtime: "bundled".to_owned(),
            threads: 2,
            sanitizer: Sanitizer::None,
            engine: Engine::Fibers,
            strategy: StrategyName::Random,
            seed: 1,
            memory: MemoryModel::Sc,
            races: Races::Off,
            bug: None,
        }
    }
}

/// Upper bound of `--threads`.
pub const MAX_THREADS: u16 = 256;
/// Upper bound of `--jobs`: more workers help nobody.
pub const MAX_JOBS: usize = 1024;
