//! Findings in words.
#![forbid(unsafe_code)]

use super::{grouped, word};
use crate::campaign::findings::{Confirmation, Finding};

/// How many there are.
#[must_use]
pub fn counted(findings: usize) -> String {
    match findings {
        0 => "nothing found".to_owned(),
        1 => "1 finding".to_owned(),
        more => format!("{more} findings"),
    }
}

/// With how many threads a finding was made.
#[must_use]
pub fn threads(finding: &Finding) -> String {
    format!("{} threads", finding.settings.threads)
}

/// What was found, whether it was confirmed, what happened if that is known, and how to replay it; `how` it was found
/// stands in brackets.
#[must_use]
pub fn text(finding: &Finding, how: &str) -> String {
    let times = if finding.count == 1 { String::new() } else { format!(", {} times", grouped(finding.count)) };
    let mut text = format!(
        "{} ({}, {how}{times}): {}\n",
        word(&finding.failure.verdict),
        word(&finding.settings.sanitizer),
        finding.failure.message
    );
    match &finding.confirmation {
        Confirmation::Confirmed => {}
        Confirmation::Pending => text.push_str("  not replayed yet\n"),
        Confirmation::Unconfirmed(instead) => {
            text.push_str(&format!("  unconfirmed: replayed in a fresh worker, it {instead}\n"));
        }
    }
    if !finding.explanation.is_empty() {
        text.push_str(&format!("\n{}\n", finding.explanation.trim_end()));
    }
    text.push_str(&format!("  {}", replay(finding)));
    text
}

/// The command that replays a finding.
#[must_use]
pub fn replay(finding: &Finding) -> String {
    format!("threadbare replay {}", finding.path.display())
}
