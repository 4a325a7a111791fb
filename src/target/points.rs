//! Where a program has scheduling points.

use serde::{Deserialize, Serialize};

/// Where a program has scheduling points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Points {
    /// At atomic operations and calls that synchronise.
    Sync,
    /// At plain accesses to memory too.
    Memory,
}

impl Points {
    pub const ALL: [Self; 2] = [Self::Sync, Self::Memory];

    /// The word that case files and the command line use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Memory => "memory",
        }
    }
}
