//! Replays in words.

use std::fmt::{self, Display, Formatter};

use super::json;
use crate::campaign::replay::{Conclusion, Replayed};
use crate::model::word;
use crate::terminal;

/// A case, and what it did.
#[must_use]
pub fn line(result: &Replayed) -> String {
    let changed = if result.sources_changed { "; the sources changed since it was recorded" } else { "" };
    let (path, times) = (result.path.display().to_string(), result.seen.len());
    let path = terminal::in_line(&path);
    format!("{path}: {} ({times}×, {}){changed}", what(result), under(result))
}

/// What a case did, and whether that is right.
#[must_use]
pub fn what(result: &Replayed) -> String {
    let expected = word(&result.case.verdict);
    let other = || result.seen.iter().find(|seen| json::seen_word(seen) != expected);
    let did = || other().map_or_else(String::new, ToString::to_string);
    match &result.conclusion {
        Conclusion::AsExpected if result.input.is_some() => "clean".to_owned(),
        Conclusion::Unexpected if result.input.is_some() => format!("found: it {}", did()),
        Conclusion::AsExpected => match other() {
            Some(seen) => format!("as expected: {expected}, here seen as {}", json::seen_word(seen)),
            None => format!("as expected: {expected}"),
        },
        Conclusion::Diverged(divergence) => format!("diverged at step {}: {}", divergence.step, divergence.why),
        Conclusion::Unexpected => format!("unexpected: {expected} was recorded, but it {}", did()),
        Conclusion::NotShown => format!("not shown: {expected} cannot be relied on to show with {}", under(result)),
    }
}

fn under(result: &Replayed) -> String {
    format!("{} under {}", word(&result.settings.engine), word(&result.settings.sanitizer))
}

/// How many cases did what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub as_expected: usize,
    pub diverged: usize,
    pub unexpected: usize,
    pub not_shown: usize,
}

impl Totals {
    /// Of the cases that were replayed.
    #[must_use]
    pub fn of(results: &[Replayed]) -> Self {
        let mut totals = Self::default();
        for result in results.iter().filter(|result| result.was_replayed()) {
            *match result.conclusion {
                Conclusion::AsExpected => &mut totals.as_expected,
                Conclusion::Diverged(_) => &mut totals.diverged,
                Conclusion::Unexpected => &mut totals.unexpected,
                Conclusion::NotShown => &mut totals.not_shown,
            } += 1;
        }
        totals
    }

    /// Those that did not do what they promise.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.diverged + self.unexpected
    }
}

impl Display for Totals {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { as_expected, diverged, unexpected, not_shown } = self;
        let cases = as_expected + diverged + unexpected + not_shown;
        let noun = if cases == 1 { "case" } else { "cases" };
        write!(formatter, "{cases} {noun}: {as_expected} as expected, {diverged} diverged, {unexpected} unexpected")?;
        if *not_shown > 0 { write!(formatter, ", {not_shown} not shown") } else { Ok(()) }
    }
}
