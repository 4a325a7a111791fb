//! A CI run as JUnit XML: a test case for each regression case, and for each sanitizer and thread count.
#![forbid(unsafe_code)]

use std::time::Duration;

use anyhow::{Context, Result};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{findings, json, replays, word};
use crate::campaign::ci::{self, Summary};
use crate::campaign::findings::Finding;
use crate::campaign::plan::Cell;
use crate::campaign::replay::{Conclusion, Replayed};

/// The text of the file.
///
/// # Errors
/// It cannot be put together.
pub fn xml(summary: &Summary) -> Result<String> {
    let mut report = Report::new("threadbare ci");
    report.add_test_suites([regressions(summary), fuzz(summary)]);
    report.to_string().context("cannot write JUnit XML")
}

fn regressions(summary: &Summary) -> TestSuite {
    let mut suite = TestSuite::new("regressions");
    let replayed = summary.regressions.iter().map(|case| {
        if !case.was_replayed() {
            return regression(case, skipped("interrupted before it was replayed"));
        }
        let mut test = regression(case, status_of(case));
        test.set_time(seconds(case.seconds));
        test
    });
    suite.add_test_cases(replayed);
    let others = "its sanitizer was not asked for";
    suite.add_test_cases(summary.left_out.iter().map(|case| regression(case, skipped(others))));
    suite.set_time(seconds(summary.regressions.iter().map(|case| case.seconds).sum()));
    suite
}

fn regression(case: &Replayed, status: TestCaseStatus) -> TestCase {
    let mut test = TestCase::new(case.path.display().to_string(), status);
    test.set_classname("regressions");
    test
}

fn status_of(case: &Replayed) -> TestCaseStatus {
    if ci::failed(case) {
        let text = format!("{}\nthreadbare replay {}", replays::line(case), case.path.display());
        return failure(json::name(&case.conclusion), &replays::what(case), &text);
    }
    match case.conclusion {
        Conclusion::NotShown => skipped(&replays::what(case)),
        _ => TestCaseStatus::success(),
    }
}

fn fuzz(summary: &Summary) -> TestSuite {
    let mut suite = TestSuite::new("fuzz");
    suite.set_time(seconds(summary.fuzz.seconds));
    for (name, value) in [
        ("seed", summary.seed.to_string()),
        ("engine", word(&summary.engine)),
        ("executions", summary.fuzz.executions.to_string()),
        ("programs", summary.fuzz.programs.to_string()),
        ("interrupted", summary.fuzz.interrupted.to_string()),
    ] {
        suite.add_property((name, value.as_str()));
    }
    for (index, cell) in summary.fuzz.cells.iter().enumerate() {
        let own = summary.fuzz.findings.iter().filter(|finding| finding.origin.cell == index);
        suite.add_test_case(explored(cell, &own.collect::<Vec<_>>()));
    }
    suite
}

/// What came of one sanitizer and thread count. Test cases have one failure, so several findings share it.
fn explored(cell: &Cell, own: &[&Finding]) -> TestCase {
    let status = match own {
        _ if cell.executions == 0 => skipped("nothing was executed"),
        [] if cell.findings == 0 => TestCaseStatus::success(),
        [] => {
            let text = format!("{} executions failed like findings listed at others", cell.findings);
            failure("repeated", &text, &text)
        }
        [first, others @ ..] => {
            let line = |finding: &Finding| format!("{}: {}", word(&finding.failure.verdict), finding.failure.message);
            let message = others.iter().fold(line(first), |lines, other| format!("{lines}; {}", line(other)));
            let text = own.iter().map(|finding| evidence(finding)).collect::<Vec<_>>().join("\n\n");
            failure(&word(&first.failure.verdict), &message, &text)
        }
    };
    let mut test = TestCase::new(format!("{}, {} threads", word(&cell.sanitizer), cell.threads), status);
    test.set_classname("fuzz").set_time(seconds(cell.seconds));
    for (name, count) in [("executions", cell.executions), ("points", cell.points), ("diverged", cell.diverged)] {
        test.add_property((name, count.to_string().as_str()));
    }
    for (reason, count) in &cell.incomparable {
        test.add_property((format!("incomparable.{}", word(reason)).as_str(), count.to_string().as_str()));
    }
    test
}

/// All that is known of a finding.
fn evidence(finding: &Finding) -> String {
    format!("{}\n\n{}", findings::text(finding, &findings::threads(finding)), finding.report.trim_end())
}

fn failure(kind: &str, message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(kind).set_message(message).set_description(text);
    status
}

fn skipped(why: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(why);
    status
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use quick_junit::XmlString;

    use super::*;
    use crate::report::sample;

    fn written(summary: &Summary) -> Report {
        Report::deserialize_from_str(&xml(summary).expect("XML")).expect("JUnit")
    }

    fn statuses(suite: &TestSuite) -> Vec<(&str, String)> {
        let why = |message: &Option<XmlString>| message.as_ref().expect("a message").as_str().to_owned();
        let status = |test: &TestCase| match &test.status {
            TestCaseStatus::Success { .. } => "success".to_owned(),
            TestCaseStatus::Skipped { message, .. } => format!("skipped: {}", why(message)),
            TestCaseStatus::NonSuccess { message, .. } => format!("failure: {}", why(message)),
        };
        suite.test_cases.iter().map(|test| (test.name.as_str(), status(test))).collect()
    }

    #[test]
    fn every_regression_case_is_a_test_case_that_says_what_it_did_instead() {
        let report = written(&sample::summary());
        let expected = [
            ("corpus/right.case", "success".to_owned()),
            ("corpus/gone.case", "failure: unexpected: data-race was recorded, but it was clean".to_owned()),
            ("corpus/other.case", "skipped: its sanitizer was not asked for".to_owned()),
        ];
        assert_eq!(statuses(&report.test_suites[0]), expected);
        assert_eq!(report.test_suites[0].test_cases[0].time, Some(Duration::from_millis(250)));
        assert_eq!((report.tests, report.failures, report.skipped), (6, 3, 1));
    }

    #[test]
    fn a_case_that_was_not_replayed_does_not_pass() {
        let mut summary = sample::summary();
        summary.regressions[0].seen.clear();
        let report = written(&summary);
        assert_eq!(statuses(&report.test_suites[0])[0].1, "skipped: interrupted before it was replayed");
    }

    #[test]
    fn every_cell_is_a_test_case_that_fails_if_any_of_its_executions_did() {
        let report = written(&sample::summary());
        let expected = [
            ("none, 1 threads", "success".to_owned()),
            ("none, 2 threads", "failure: data-race: ThreadSanitizer: data race in app::Ring<int>::push".to_owned()),
            ("thread, 1 threads", "failure: 4 executions failed like findings listed at others".to_owned()),
        ];
        assert_eq!(statuses(&report.test_suites[1]), expected);
        let incomparable = &report.test_suites[1].test_cases[0].properties[3];
        assert_eq!((incomparable.name.as_str(), incomparable.value.as_str()), ("incomparable.history-too-long", "3"));
    }

    #[test]
    fn a_failure_holds_the_evidence_and_the_command_that_replays_it() {
        let text = xml(&sample::summary()).expect("XML");
        for part in ["type=\"data-race\"", "cpp/ring.hpp:12:5", "threadbare replay findings/data-race-0123456789abcdef"]
        {
            assert!(text.contains(part), "no {part} in {text}");
        }
    }

    #[test]
    fn several_findings_of_a_cell_are_all_told_and_a_cell_without_executions_is_skipped() {
        let mut summary = sample::summary();
        let mut second = summary.fuzz.findings[0].clone();
        second.failure.message = "another".to_owned();
        second.path = "findings/second.case".into();
        summary.fuzz.findings.push(second);
        summary.fuzz.cells[0].executions = 0;
        let report = written(&summary);
        let statuses = statuses(&report.test_suites[1]);
        assert_eq!(statuses[0].1, "skipped: nothing was executed");
        assert!(statuses[1].1.ends_with("push; data-race: another"), "{}", statuses[1].1);
        assert!(xml(&summary).expect("XML").contains("threadbare replay findings/second.case"));
    }
}
