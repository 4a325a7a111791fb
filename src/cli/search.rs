//! The flags that choose the search: how executions are generated.

use anyhow::{Result, bail, ensure};
use clap::{Args, ValueEnum};

use crate::feedback::Kind;
use crate::model::settings::Engine;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// Each execution is generated independently.
    Generational,
    /// libFuzzer mutates those that reached new coverage.
    CoverageGuided,
}

#[derive(Debug, Args)]
pub struct SearchFlags {
    /// How task graphs and choices are generated [default: generational; `fuzz` and `ci` are coverage-guided with
    /// --corpus or --feedback].
    #[arg(long, value_enum)]
    search: Option<Name>,
    /// What counts as new in a coverage-guided search: all, none, or some of edges, reads-from, hand-overs, blocked,
    /// oracles [default: all].
    #[arg(long, value_parser = feedback)]
    feedback: Option<Feedback>,
}

/// Kinds of feedback.
#[derive(Clone, Debug)]
struct Feedback(Vec<Kind>);

fn feedback(text: &str) -> Result<Feedback, String> {
    Ok(Feedback(match text {
        "all" => Kind::ALL.to_vec(),
        "none" => vec![],
        kinds => {
            let kind = |word: &str| {
                Kind::from_str(word, false).map_err(|_| format!("`{word}` is no kind of feedback; see --help"))
            };
            kinds.split(',').map(kind).collect::<Result<_, _>>()?
        }
    }))
}

impl SearchFlags {
    /// Whether it is said what guides the search.
    pub fn names_feedback(&self) -> bool {
        self.feedback.is_some()
    }

    /// What guides the search that was asked for, or else this one; `None` if it is generational.
    ///
    /// # Errors
    /// There is nothing to guide a search by.
    pub fn resolve(&self, engine: Engine, otherwise: Name) -> Result<Option<Vec<Kind>>> {
        if self.search.unwrap_or(otherwise) == Name::Generational {
            ensure!(self.feedback.is_none(), "a generational search has no feedback; use --search coverage-guided");
            return Ok(None);
        }
        if !cfg!(feature = "libfuzzer") {
            bail!(
                "this was built without libFuzzer; build it with the feature `libfuzzer`, or use --search generational"
            );
        }
        ensure!(engine != Engine::Free, "without control there is no feedback to guide by; use --search generational");
        Ok(Some(self.feedback.as_ref().map_or_else(|| Kind::ALL.to_vec(), |feedback| feedback.0.clone())))
    }
}
