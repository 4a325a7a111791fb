//! How the executions of a campaign come about.

use std::path::{Path, PathBuf};

use crate::feedback::Kind;
use crate::model::settings::StrategyName;

/// How task graphs and choices are generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// Generated, each execution by itself, with the choices that this strategy makes.
    Generational(StrategyName),
    /// Mutated by libFuzzer from those that did something new.
    CoverageGuided {
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
            Self::Generational(strategy) => *strategy,
            Self::CoverageGuided { .. } => StrategyName::Bytes,
        }
    }

    /// The directory of a coverage-guided search.
    #[must_use]
    pub fn corpus(&self) -> Option<&Path> {
        match self {
            Self::Generational(_) => None,
            Self::CoverageGuided { corpus, .. } => corpus.as_deref(),
        }
    }
}
