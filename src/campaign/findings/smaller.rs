//! Findings whose schedules were made small.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Confirmation, Findings};
use crate::campaign::decisive;
use crate::campaign::minimise::{Minimised, Size};
use crate::campaign::verify::FOUND_IN;
use crate::case::Case;
use crate::model::settings::Sanitizer;
use crate::whole_file::write_whole;

/// A schedule before and after it was made small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resized {
    pub before: Size,
    pub after: Size,
    /// Nothing more can be left out.
    pub is_smallest: bool,
}

impl Findings {
    /// The cases that did the same again in a fresh worker.
    #[must_use]
    pub fn confirmed(&self) -> Vec<(PathBuf, Sanitizer)> {
        let confirmed = self.kept.values().filter(|finding| finding.confirmation == Confirmation::Confirmed);
        confirmed.map(|finding| (finding.path.clone(), finding.settings.sanitizer)).collect()
    }

    /// Keeps a case with a smaller schedule in place of the one that was found.
    ///
    /// # Errors
    /// The case cannot be written.
    pub fn replace(&mut self, path: &Path, minimised: Minimised) -> Result<()> {
        let Some(finding) = self.kept.values_mut().find(|finding| finding.path == path) else { return Ok(()) };
        let Minimised { case, explanation, before, after, is_smallest, decided, .. } = minimised;
        if case.fingerprint != finding.fingerprint {
            return Ok(());
        }
        // What was not made smaller stays as it was found, but for the places.
        let report = if after < before {
            finding.minimised = Some(Resized { before, after, is_smallest });
            finding.explanation = explanation;
            format!("{}{}\n\n{FOUND_IN}{}", case.report, decisive::line(&decided), finding.origin.execution + 1)
        } else {
            format!("{}{}", case.report, decisive::line(&decided))
        };
        finding.decided = decided;
        let case = Case { report, ..case };
        write_whole(path, case.to_string().as_bytes())?;
        finding.report.clone_from(&case.report);
        Ok(())
    }
}
