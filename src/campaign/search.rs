//! How the executions of a campaign come about.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use crate::feedback::Kind;
use crate::settings::StrategyName;

/// Where programs and choices come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// Generated, each execution by itself, with the choices that this strategy makes.
    Blind(StrategyName),
    /// Mutated by libFuzzer from those that did something new.
    Guided {
        /// What counts as new.
        feedback: Vec<Kind>,
        /// Where inputs are kept; nowhere, if `None`.
        corpus: Option<PathBuf>,
    },
}

impl Search {
    /// What makes the choices.
    #[must_use]
    pub fn strategy(&self) -> StrategyName {
        match self {
            Self::Blind(strategy) => *strategy,
            Self::Guided { .. } => StrategyName::Bytes,
        }
    }

    /// The directory of a guided search.
    #[must_use]
    pub fn corpus(&self) -> Option<&Path> {
        match self {
            Self::Blind(_) => None,
            Self::Guided { corpus, .. } => corpus.as_deref(),
        }
    }
}
