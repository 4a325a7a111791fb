//! A run as JUnit XML: a test case for each regression case, and in a suite for each target one for each sanitizer and
//! thread count.

use std::time::Duration;

use anyhow::{Context, Result};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::json::targets::kind;
use super::{bugs, findings, json, replays};
use crate::campaign::ci::{self, Explored, Summary};
use crate::campaign::explorer;
use crate::campaign::findings::Finding;
use crate::campaign::gathered::Gathered;
use crate::campaign::plan::Cell;
use crate::campaign::replay::{Conclusion, Replayed};
use crate::model::word;

/// The text of the file.
///
/// # Errors
/// It cannot be put together.
pub fn xml(summary: &Summary) -> Result<String> {
    let mut report = Report::new(format!("threadbare {}", summary.command));
    if summary.command == "ci" {
        report.add_test_suite(regressions(summary));
    }
    report.add_test_suites(summary.targets.iter().map(|target| explored(target, summary)));
    report.to_string().context("cannot write JUnit XML")
}

/// The same of findings that were gathered: a test case for each bug, and an error for each file that was not read.
///
/// # Errors
/// It cannot be put together.
pub fn of_bugs(gathered: &Gathered) -> Result<String> {
    let mut report = Report::new("threadbare report");
    let mut suite = TestSuite::new("findings");
    for bug in &gathered.bugs {
        let verdict = word(&bug.case.verdict);
        let text = format!("{}\n\n{}", bugs::replay(bug), bug.case.report.trim_end());
        let mut test = TestCase::new(bug.path.display().to_string(), failure(&verdict, bug.failure(), &text));
        test.set_classname("findings");
        test.add_property(("fingerprint", bug.case.fingerprint.as_str()));
        test.add_property(("cases", bug.paths.len().to_string().as_str()));
        suite.add_test_case(test);
    }
    suite.add_test_cases(gathered.unread.iter().map(|(path, why)| error(&path.display().to_string(), "findings", why)));
    report.add_test_suite(suite);
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
    suite.add_test_cases(
        summary.refused.iter().map(|refused| error(&refused.path.display().to_string(), "regressions", &refused.why)),
    );
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

/// A suite for each target; that of the bundled runtime alone is called "fuzz".
fn explored(target: &Explored, summary: &Summary) -> TestSuite {
    let is_alone = summary.of_bundled_alone().is_some();
    let name = if is_alone { "fuzz" } else { &target.name };
    let mut suite = TestSuite::new(name);
    if !is_alone {
        suite.add_property(("kind", kind(target.campaign.is_of_program())));
    }
    if let Ok(explored) = &target.outcome {
        let is_of_program = target.campaign.is_of_program();
        suite.set_time(seconds(explored.seconds));
        add_properties(&mut suite, summary, explored, is_of_program);
        let of_cell = |(index, cell)| of_cell(name, cell, &own(&explored.findings, index), is_of_program);
        suite.add_test_cases(explored.cells.iter().enumerate().map(of_cell));
    }
    // What is known of several targets must not hide that nothing is known of one.
    if let Some(why) = target.shortfall().filter(|_| !is_alone) {
        suite.add_test_case(error("explored", name, &why));
    }
    suite
}

fn add_properties(suite: &mut TestSuite, run: &Summary, explored: &explorer::Summary, is_of_program: bool) {
    suite.add_property(("seed", run.seed.to_string().as_str()));
    suite.add_property(("engine", word(&run.engine).as_str()));
    suite.add_property(("executions", explored.executions.to_string().as_str()));
    if !is_of_program {
        suite.add_property(("task_graphs", explored.task_graphs.to_string().as_str()));
    }
    suite.add_property(("interrupted", explored.interrupted.to_string().as_str()));
}

/// The findings of this cell.
fn own(findings: &[Finding], index: usize) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.origin.cell == index).collect()
}

/// What came of a target under one sanitizer with one thread count. Test cases have one failure, so several findings share
/// it.
fn of_cell(class: &str, cell: &Cell, own: &[&Finding], is_of_program: bool) -> TestCase {
    let sanitizer = word(&cell.sanitizer);
    let name = if is_of_program { sanitizer } else { format!("{sanitizer}, {} threads", cell.threads) };
    let mut test = TestCase::new(name, status_of_cell(cell, own));
    test.set_classname(class).set_time(seconds(cell.seconds));
    test.add_property(("executions", cell.executions.to_string().as_str()));
    test.add_property(("points", cell.points.to_string().as_str()));
    if is_of_program {
        return test;
    }
    test.add_property(("diverged", cell.diverged.to_string().as_str()));
    for (reason, count) in &cell.incomparable {
        test.add_property((format!("incomparable.{}", word(reason)).as_str(), count.to_string().as_str()));
    }
    test
}

fn status_of_cell(cell: &Cell, own: &[&Finding]) -> TestCaseStatus {
    match own {
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
    }
}

/// A test case for what could not be done.
fn error(name: &str, class: &str, why: &str) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type("could-not").set_message(why.lines().next().unwrap_or_default()).set_description(why);
    let mut test = TestCase::new(name, status);
    test.set_classname(class);
    test
}

/// All that is known of a finding.
fn evidence(finding: &Finding) -> String {
    format!("{}\n\n{}", findings::text(finding), finding.report.trim_end())
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
    use crate::campaign::{gathered, sample};

    fn written(summary: &Summary) -> Report {
        Report::deserialize_from_str(&xml(summary).expect("XML")).expect("JUnit")
    }

    #[test]
    fn every_bug_that_was_gathered_is_a_test_case_that_fails_and_a_file_that_was_not_read_an_error() {
        let text = of_bugs(&gathered::sample::gathered()).expect("XML");
        let report = Report::deserialize_from_str(&text).expect("JUnit");
        assert_eq!((report.tests, report.failures, report.errors), (2, 1, 1));
        assert!(text.contains("threadbare replay findings/a.case") && text.contains("src/a.c:9 take"), "{text}");
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
        let fuzz = sample::fuzz_of(&mut summary);
        let mut second = fuzz.findings[0].clone();
        second.failure.message = "another".to_owned();
        second.path = "findings/second.case".into();
        fuzz.findings.push(second);
        fuzz.cells[0].executions = 0;
        let report = written(&summary);
        let statuses = statuses(&report.test_suites[1]);
        assert_eq!(statuses[0].1, "skipped: nothing was executed");
        assert!(statuses[1].1.ends_with("push; data-race: another"), "{}", statuses[1].1);
        assert!(xml(&summary).expect("XML").contains("threadbare replay findings/second.case"));
    }

    #[test]
    fn every_target_of_a_project_is_a_suite_and_one_that_could_not_be_built_is_an_error() {
        let report = written(&sample::project());
        let names: Vec<&str> = report.test_suites.iter().map(|suite| suite.name.as_str()).collect();
        assert_eq!(names, ["regressions", "mine", "counter", "broken"]);
        let counter = [("none", "failure: data-race: failed assertion at src/counter.c:9".to_owned())];
        assert_eq!(statuses(&report.test_suites[2]), counter);
        assert_eq!(statuses(&report.test_suites[3]), [("explored", "failure: broken does not compile".to_owned())]);
        assert_eq!((report.test_suites[3].errors, report.test_suites[3].failures), (1, 0));
    }
}
