//! Memory models: which stores a load may read.

use serde::{Deserialize, Serialize};

/// Which executions there are.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum MemoryModel {
    /// Sequential consistency: interleavings, in which every load reads the newest store.
    #[default]
    Sc,
    /// Total store order, as on x86: a store may wait in a buffer while its thread goes on.
    Tso,
    /// The memory model of C++20, without executions in which a load depends on itself.
    Cpp20,
}

impl MemoryModel {
    pub const ALL: [Self; 3] = [Self::Sc, Self::Tso, Self::Cpp20];

    /// The word that case files and the command line use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Sc => "sc",
            Self::Tso => "tso",
            Self::Cpp20 => "cpp20",
        }
    }
}
