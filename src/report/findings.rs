//! Findings in words.

use super::{grouped, minimised};
use crate::campaign::decisive;
use crate::campaign::findings::{Confirmation, Finding, Resized};
use crate::check;
use crate::model::settings::MemoryModel;
use crate::model::word;

/// How many there are.
#[must_use]
pub fn counted(findings: usize) -> String {
    match findings {
        0 => "nothing found".to_owned(),
        1 => "1 finding".to_owned(),
        more => format!("{more} findings"),
    }
}

/// How a finding was made: in which execution of a program, or with how many threads of a runtime.
fn how(finding: &Finding) -> String {
    match finding.settings.runtime.as_str() {
        check::RUNTIME => format!("execution {}", grouped(finding.origin.execution + 1)),
        _ => format!("{} threads", finding.settings.threads),
    }
}

/// What was found and how, whether it was confirmed, what happened if that is known, and how to replay it.
#[must_use]
pub fn text(finding: &Finding) -> String {
    let times = if finding.count == 1 { String::new() } else { format!(", {} times", grouped(finding.count)) };
    let memory = match finding.settings.memory {
        MemoryModel::Sc => String::new(),
        weaker => format!(", under {}", weaker.word()),
    };
    let mut text = format!(
        "{} ({}{memory}, {}{times}): {}\n",
        word(&finding.failure.verdict),
        word(&finding.settings.sanitizer),
        how(finding),
        finding.failure.message
    );
    match &finding.confirmation {
        Confirmation::Confirmed => {}
        Confirmation::Pending => text.push_str("  not replayed yet\n"),
        Confirmation::Unconfirmed(instead) => {
            text.push_str(&format!("  unconfirmed: replayed in a fresh worker, it {instead}\n"));
        }
    }
    if let Some(Resized { before, after, is_smallest }) = &finding.minimised
        && after < before
    {
        let maybe = if *is_smallest { "" } else { "; time was up" };
        text.push_str(&format!("  made small: {}, of {}{maybe}\n", minimised::size(after), minimised::size(before)));
    }
    if !finding.explanation.is_empty() {
        text.push_str(&format!("\n{}\n", finding.explanation.trim_end()));
    }
    text.push_str(&format!("  {}", replay(finding)));
    text
}

/// What findings may be one bug, by the places where what they need is decided.
#[must_use]
pub fn related(findings: &[Finding]) -> Vec<String> {
    let places: Vec<Vec<String>> = findings.iter().map(|finding| finding.decided.clone()).collect();
    let shared = decisive::shared(&places).into_iter();
    shared
        .map(|(place, members)| {
            let names = members
                .iter()
                .map(|index| format!("{} {}", word(&findings[*index].failure.verdict), findings[*index].fingerprint));
            let names: Vec<String> = names.collect();
            format!("perhaps one bug, decided in {place}: {}", names.join(", "))
        })
        .collect()
}

/// How many bugs they may be, if that is fewer.
#[must_use]
pub fn bugs(findings: &[Finding]) -> Option<usize> {
    let places: Vec<Vec<String>> = findings.iter().map(|finding| finding.decided.clone()).collect();
    decisive::count(&places)
}

/// The command that replays a finding.
#[must_use]
pub fn replay(finding: &Finding) -> String {
    format!("threadbare replay {}", finding.path.display())
}
