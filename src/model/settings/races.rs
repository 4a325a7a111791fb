//! Who looks for data races.

use serde::{Deserialize, Serialize};

/// Whether threadbare's own detector judges an execution of a program, which ThreadSanitizer does where it is loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Races {
    #[default]
    Off,
    On,
}

impl Races {
    pub const ALL: [Self; 2] = [Self::Off, Self::On];
}
