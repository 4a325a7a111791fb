//! How the executions of a campaign come about.
#![forbid(unsafe_code)]

use crate::feedback::Kind;

/// Where programs and choices come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// Generated, each execution by itself.
    Blind,
    /// Mutated by libFuzzer from those that did something new, as feedback of these kinds tells.
    Guided(Vec<Kind>),
}

impl Search {
    /// The kinds of feedback, if it is guided.
    #[must_use]
    pub fn feedback(&self) -> Option<&[Kind]> {
        match self {
            Self::Blind => None,
            Self::Guided(kinds) => Some(kinds),
        }
    }
}
