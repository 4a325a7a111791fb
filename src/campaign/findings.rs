//! The findings directory: one case per fingerprint, each written whole or not at all.

mod smaller;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::case_name::prefix;
use super::fingerprint::fingerprint;
use super::supervisor::Found;
use super::verify::FOUND_IN;
use crate::case::{Case, Workload};
use crate::model::schedule::Schedule;
use crate::model::settings::{MemoryModel, Settings};
use crate::model::verdict::{Failure, Verdict};
use crate::model::word;
use crate::oracle::sanitizer;
use crate::whole_file::{self, write_whole};

pub use smaller::Resized;

/// Where a campaign came upon a finding. Of several with one fingerprint the lowest is kept, so that the
/// same campaign keeps the same cases, however its workers overlapped, and an interleaving before what needs a weak memory model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// An operation is on an older store.
    pub is_weak: bool,
    /// Index of the cell.
    pub cell: usize,
    pub execution: u64,
}

/// Whether a case did the same again in a fresh worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// Not tried, or not to the end.
    Pending,
    Confirmed,
    /// What it did instead.
    Unconfirmed(String),
}

/// A finding that is kept.
#[derive(Clone, Debug)]
pub struct Finding {
    pub path: PathBuf,
    pub fingerprint: String,
    pub failure: Failure,
    pub settings: Settings,
    pub origin: Origin,
    /// How often it was found in this campaign.
    pub count: u64,
    pub confirmation: Confirmation,
    /// The evidence in its case.
    pub report: String,
    /// What happened, step by step, of a program under check.
    pub explanation: String,
    /// How large its schedule was and is, once it was made small.
    pub minimised: Option<Resized>,
    /// Where the choices are made that its schedule needs, once that was looked for.
    pub decided: Vec<String>,
}

/// The findings of this campaign, in their directory.
pub struct Findings {
    directory: PathBuf,
    kept: BTreeMap<String, Finding>,
}

impl Findings {
    /// Makes the directory if it is missing.
    ///
    /// # Errors
    /// It cannot be made or written to.
    pub fn open(directory: &Path) -> Result<Self> {
        let named =
            || format!("cannot write findings to {}; name another directory with `--findings`", directory.display());
        whole_file::prepare(directory).with_context(named)?;
        Ok(Self { directory: directory.to_owned(), kept: BTreeMap::new() })
    }

    /// Every finding, by fingerprint.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.kept.values()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Fingerprints whose kept case comes before `origin`, so that finding them there changes nothing.
    #[must_use]
    pub fn known_before(&self, origin: Origin) -> BTreeSet<String> {
        self.kept
            .values()
            .filter(|finding| finding.origin < origin)
            .map(|finding| finding.fingerprint.clone())
            .collect()
    }

    /// Counts a finding that a worker recognised.
    pub fn count(&mut self, fingerprint: &str, times: u64) {
        if let Some(finding) = self.kept.get_mut(fingerprint) {
            finding.count += times;
        }
    }

    /// Takes a finding in. Gives its case if it was written, which is to be confirmed.
    ///
    /// A case that an earlier campaign left under the same name is replaced: the new one fits the code.
    ///
    /// # Errors
    /// The case cannot be written.
    pub fn add(
        &mut self,
        found: Found,
        origin: Origin,
        settings: &Settings,
        workload: Workload,
    ) -> Result<Option<Case>> {
        let settings = needed(settings, found.schedule.as_ref());
        let failure = found.failures.first().expect("a finding has a failure").clone();
        let fingerprint = fingerprint(&failure);
        let count = self.kept.get(&fingerprint).map_or(0, |finding| finding.count) + 1;
        if let Some(finding) = self.kept.get_mut(&fingerprint)
            && finding.origin <= origin
        {
            finding.count = count;
            return Ok(None);
        }
        let name = format!(
            "{}{}-{fingerprint}.case",
            prefix(&workload, &settings.runtime, &self.directory),
            word(&failure.verdict)
        );
        let case = case_of(found, &settings, workload);
        let path = self.directory.join(name);
        let confirmation = Confirmation::Pending;
        let finding = Finding {
            path: path.clone(),
            fingerprint: fingerprint.clone(),
            failure,
            settings,
            origin,
            count,
            confirmation,
            report: case.report.clone(),
            explanation: String::new(),
            minimised: None,
            decided: Vec::new(),
        };
        self.kept.insert(fingerprint, finding);
        // What cannot be kept is told all the same.
        write_whole(&path, case.to_string().as_bytes())?;
        Ok(Some(case))
    }

    /// Notes what became of a replay of `case`, which `add` gave for that origin: `None` if it failed as recorded. Adds what
    /// happened in it, step by step, to the case, if that is known.
    ///
    /// # Errors
    /// The case cannot be written.
    pub fn confirm(&mut self, case: &Case, origin: Origin, instead: Option<String>, explanation: String) -> Result<()> {
        // Meanwhile an earlier execution may have taken its place, whose replay is another one.
        let Some(finding) = self.kept.get_mut(&case.fingerprint).filter(|finding| finding.origin == origin) else {
            return Ok(());
        };
        let mut report = case.report.clone();
        if let Some(instead) = &instead {
            report.insert_str(0, &format!("unconfirmed: replayed in a fresh worker, it {instead}\n"));
        }
        if !explanation.is_empty() {
            report.push_str(&format!("\n\n{}", explanation.trim_end()));
        }
        report.push_str(&format!("\n\n{FOUND_IN}{}", origin.execution + 1));
        finding.confirmation = instead.map_or(Confirmation::Confirmed, Confirmation::Unconfirmed);
        finding.explanation = explanation;
        finding.report.clone_from(&report);
        let noted = Case { report, ..case.clone() };
        write_whole(&finding.path, noted.to_string().as_bytes())
    }
}

/// The settings with interleavings as the memory model, unless the schedule has an operation on an older store.
fn needed(settings: &Settings, schedule: Option<&Schedule>) -> Settings {
    let is_weak = schedule.is_none_or(Schedule::is_weak);
    Settings { memory: if is_weak { settings.memory } else { MemoryModel::Sc }, ..settings.clone() }
}

/// The case of a failed execution.
///
/// # Panics
/// If nothing failed.
#[must_use]
pub fn case_of(found: Found, settings: &Settings, workload: Workload) -> Case {
    let failure = found.failures.first().expect("a finding has a failure");
    Case {
        settings: needed(settings, found.schedule.as_ref()),
        workload,
        verdict: failure.verdict,
        oracle: Some(failure.oracle),
        fingerprint: fingerprint(failure),
        report: report_of(&found),
        schedule: found.schedule,
    }
}

/// Every failure in a line, then the evidence of the first.
fn report_of(found: &Found) -> String {
    let mut report = String::new();
    for failure in &found.failures {
        report.push_str(&format!("{}: {}\n", word(&failure.verdict), failure.message));
    }
    if found.failures.iter().any(|failure| failure.verdict == Verdict::Hang) {
        report.push_str("the worker was ended from outside, so the schedule stops where it hung\n");
    }
    for evidence in [&sanitizer::report_of(&found.report, &found.failures[0]), &found.timeline] {
        if !evidence.is_empty() {
            report.push_str(&format!("\n{}\n", evidence.trim_end()));
        }
    }
    report.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::verdict::OracleName;
    use crate::task_graph::{Affinity, ResultKind, Task, TaskGraph};

    fn graph() -> Workload {
        let root = Task { affinity: Affinity::Main, result: ResultKind::Int, operations: Vec::new() };
        TaskGraph { tasks: vec![root], ..TaskGraph::default() }.into()
    }

    fn settings() -> Settings {
        Settings { seed: 7, ..Settings::sample() }
    }

    fn found(message: &str) -> Found {
        let failure = Failure {
            verdict: Verdict::Deadlock,
            oracle: OracleName::Progress,
            message: message.to_owned(),
            cause: "stuck in Lock".to_owned(),
        };
        let (report, timeline) = ("evidence".to_owned(), String::new());
        Found { execution: 0, failures: vec![failure], schedule: None, report, timeline, input: None }
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .expect("a directory")
            .flatten()
            .map(|entry| entry.file_name().into_string().expect("UTF-8"))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn one_case_is_kept_per_fingerprint_and_it_is_the_earliest_whatever_the_order() {
        let origins = [5, 3, 9].map(|execution| Origin { execution, ..Origin::default() });
        let directory = tempfile::tempdir().expect("a directory");
        let mut findings = Findings::open(directory.path()).expect("findings");
        for origin in origins {
            findings.add(found(&format!("at {}", origin.execution)), origin, &settings(), graph()).expect("written");
        }
        let kept: Vec<&Finding> = findings.iter().collect();
        assert_eq!(kept.len(), 1);
        assert_eq!((kept[0].count, kept[0].origin.execution), (3, 3));
        let case = Case::read(&kept[0].path).expect("a case");
        assert_eq!(case.report, "deadlock: at 3\n\nevidence");
        assert_eq!(names(directory.path()), [format!("deadlock-{}.case", kept[0].fingerprint)]);
    }

    #[test]
    fn an_interleaving_is_kept_before_an_earlier_execution_that_needs_a_weak_memory_model() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut findings = Findings::open(directory.path()).expect("findings");
        for (is_weak, execution) in [(true, 3), (false, 9), (true, 1)] {
            let origin = Origin { is_weak, cell: 0, execution };
            findings.add(found(&format!("at {execution}")), origin, &settings(), graph()).expect("written");
        }
        assert_eq!(findings.iter().map(|kept| kept.origin.execution).collect::<Vec<_>>(), [9]);
    }

    #[test]
    fn a_case_that_does_not_reproduce_says_so_in_its_report() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut findings = Findings::open(directory.path()).expect("findings");
        let origin = Origin { execution: 1, ..Origin::default() };
        let case = findings.add(found("at 1"), origin, &settings(), graph()).expect("written").expect("new");
        findings.confirm(&case, origin, Some("was clean".to_owned()), String::new()).expect("written");
        let finding = findings.iter().next().expect("kept");
        assert_eq!(finding.confirmation, Confirmation::Unconfirmed("was clean".to_owned()));
        assert!(Case::read(&finding.path).expect("a case").report.starts_with("unconfirmed: "));
    }

    #[test]
    fn the_replay_of_a_case_that_was_replaced_says_nothing_of_the_new_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut findings = Findings::open(directory.path()).expect("findings");
        let [late, early] = [5, 3].map(|execution| Origin { execution, ..Origin::default() });
        let old = findings.add(found("at 5"), late, &settings(), graph()).expect("written").expect("new");
        findings.add(found("at 3"), early, &settings(), graph()).expect("written").expect("earlier");
        findings.confirm(&old, late, Some("was clean".to_owned()), String::new()).expect("nothing to write");
        let finding = findings.iter().next().expect("kept");
        assert_eq!(finding.confirmation, Confirmation::Pending);
        assert!(Case::read(&finding.path).expect("a case").report.starts_with("deadlock: at 3"));
    }

    #[test]
    fn only_earlier_findings_are_known_to_a_slice() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut findings = Findings::open(directory.path()).expect("findings");
        findings
            .add(found("at 5"), Origin { cell: 1, execution: 5, ..Origin::default() }, &settings(), graph())
            .expect("written");
        assert!(findings.known_before(Origin { execution: 100, ..Origin::default() }).is_empty());
        assert_eq!(findings.known_before(Origin { cell: 1, execution: 6, ..Origin::default() }).len(), 1);
    }

    #[test]
    fn a_finding_replaces_that_of_the_same_program_only() {
        let root = tempfile::tempdir().expect("a directory");
        let of = |folder: &str| {
            let path = root.path().join(folder).join("main.c");
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(&path, folder).expect("written");
            let text = format!("check sync\n  source \"{}\"\n  end\n", path.display());
            let mut lines = (1..).zip(text.lines());
            Workload::Check(crate::check::text::parse_lines(&mut lines).expect("a check"))
        };
        let findings = root.path().join("findings");
        for folder in ["a", "b", "a"] {
            let origin = Origin { execution: 1, ..Origin::default() };
            let mut kept = Findings::open(&findings).expect("findings");
            kept.add(found(folder), origin, &settings(), of(folder)).expect("written");
        }
        assert_eq!(names(&findings).len(), 2, "{:?}", names(&findings));
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_an_error_that_names_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("file");
        fs::write(&file, "").expect("written");
        let error = Findings::open(&file.join("findings")).err().expect("an error");
        assert!(format!("{error:#}").contains("file/findings"), "{error:#}");
    }
}
