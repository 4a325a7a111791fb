//! What a program prints, which tells more of a failure than its exit status does.

use crate::check::framework::Framework;
use crate::model::verdict::{Failure, Judgement, Verdict};
use crate::oracle::sanitizer::{without_numbers, without_reports};
use crate::process::Printed;
use crate::terminal::in_line;

/// Lines that are told: the last ones.
const LINES: usize = 3;
/// Characters of a line that are told.
const LONGEST: usize = 160;

/// Says of an execution that ended with an error what it printed last, or, if it is of a test of that framework, which
/// expectation failed in it. It is asked for what it printed only then.
pub(super) fn tell(judgement: &mut Judgement, framework: Option<Framework>, printed: impl FnOnce() -> Printed) {
    let Judgement::Wrong(failure) = judgement else { return };
    if !matches!(failure.verdict, Verdict::ExitStatus | Verdict::Abort | Verdict::UncaughtException) {
        return;
    }
    let Printed { output, errors } = printed();
    let expectation = framework.and_then(|framework| framework.failure(&output));
    match expectation.filter(|_| failure.verdict == Verdict::ExitStatus) {
        Some(expectation) => {
            // What values there were differs from one execution to the next.
            let cause = format!("failed expectation at {}", expectation.place);
            let message = format!("failed expectation at {}: {}", expectation.place, expectation.said);
            *failure = Failure { verdict: Verdict::FailedAssertion, oracle: failure.oracle, message, cause };
        }
        None => match expectation_of_any(&output).filter(|_| failure.verdict == Verdict::ExitStatus) {
            Some((place, said)) => {
                failure.cause = format!("{}: failed expectation at {place}", failure.cause);
                failure.message = format!("{}: failed expectation at {place}: {said}", failure.message);
            }
            None => add(failure, &output, &errors),
        },
    }
}

/// The expectation that failed in a program of which nobody said that it is made of tests.
fn expectation_of_any(output: &str) -> Option<(String, String)> {
    let mut failed = Framework::ALL.into_iter().filter_map(|framework| framework.failure(output));
    let is_line = |place: &str| place.rsplit_once(':').is_some_and(|(_, line)| line.parse::<u32>().is_ok());
    let expectation = failed.find(|expectation| is_line(&expectation.place))?;
    Some((in_line(&expectation.place).into_owned(), bounded(&in_line(&expectation.said))))
}

/// Adds what was printed last. What goes to standard error tells causes apart, but for its numbers: a program says there what is
/// wrong, where standard output is full of what happened in which order.
fn add(failure: &mut Failure, output: &str, errors: &str) {
    let errors = without_reports(errors);
    let errors = last_lines(&errors);
    if failure.verdict != Verdict::UncaughtException
        && let Some(last) = errors.last()
    {
        failure.cause = format!("{}: {}", failure.cause, without_numbers(last).replace("-N", "N"));
    }
    let output = last_lines(output);
    let said = match (&errors[..], &output[..]) {
        ([], []) => return,
        ([], output) => output.join("; "),
        (errors, []) => errors.join("; "),
        (errors, [.., last]) => format!("{} (standard output: {last})", errors.join("; ")),
    };
    failure.message = format!("{}: {said}", failure.message);
}

/// The last lines that say something, safe to be shown and bounded.
fn last_lines(text: &str) -> Vec<String> {
    let says = |line: &str| !line.is_empty() && !line.starts_with("terminate called ");
    let lines = text.lines().map(without_colours).map(|line| line.trim().to_owned());
    let mut lines: Vec<String> = lines.filter(|line| says(line)).map(|line| bounded(&in_line(&line))).collect();
    lines.split_off(lines.len().saturating_sub(LINES))
}

fn bounded(line: &str) -> String {
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// A line without ECMA-48's control sequences, with which terminals are told to colour it; tabs are spaces.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, sequence)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = sequence.find(|letter: char| matches!(letter, '@'..='~')).map_or(sequence.len(), |end| end + 1);
        rest = &sequence[end..];
    }
    plain.push_str(rest);
    plain.replace('\t', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::verdict::OracleName;

    fn told(verdict: Verdict, output: &str, errors: &str) -> (String, String) {
        let (message, cause) = ("it ended".to_owned(), "end".to_owned());
        let mut failure = Failure { verdict, oracle: OracleName::Process, message, cause };
        add(&mut failure, output, errors);
        (failure.message, failure.cause)
    }

    #[test]
    fn what_goes_to_standard_error_is_told_and_tells_causes_apart_but_for_numbers() {
        let of = |errors: &str| told(Verdict::ExitStatus, "chatter\n", errors);
        assert_eq!(of("lost 1 at 0x7ffe12\n").0, "it ended: lost 1 at 0x7ffe12 (standard output: chatter)");
        assert_eq!(of("lost 1 at 0x7ffe12\n").1, of("lost -20 at 0x55aa\n").1);
        assert_ne!(of("lost 1\n").1, of("kept 1\n").1);
    }

    #[test]
    fn standard_output_is_told_at_length_where_standard_error_is_silent_and_is_no_cause() {
        let (message, cause) = told(Verdict::ExitStatus, "one\n\ntwo\nthree\n\n  four\n", " \n");
        assert_eq!(message, "it ended: two; three; four");
        assert_eq!(cause, "end");
    }

    #[test]
    fn of_a_program_of_tests_it_is_told_which_expectation_failed_first() {
        let output =
            "[ RUN      ] A.B\nsrc/t.cpp:7: Failure\nExpected equality\n\n[  FAILED  ] A.B\n\n 1 FAILED TEST\n";
        let (message, cause) = ("status 1".to_owned(), "status 1".to_owned());
        let failure = Failure { verdict: Verdict::ExitStatus, oracle: OracleName::Process, message, cause };
        let mut judgement = Judgement::Wrong(failure);
        tell(&mut judgement, None, || Printed { output: output.to_owned(), errors: "noise\n".to_owned() });
        let Judgement::Wrong(failure) = judgement else { panic!("it is wrong") };
        assert_eq!(failure.message, "status 1: failed expectation at src/t.cpp:7: Expected equality");
        assert_eq!(failure.cause, "status 1: failed expectation at src/t.cpp:7");
        assert_eq!(expectation_of_any("connect: error: refused\nserver: failed: 3\n"), None);
    }

    #[test]
    fn what_an_exception_says_is_told_and_is_no_cause() {
        let errors = "terminate called after throwing an instance of 'E'\n  what():  boom 17\n";
        let (message, cause) = told(Verdict::UncaughtException, "", errors);
        assert_eq!((message.as_str(), cause.as_str()), ("it ended: what():  boom 17", "end"));
    }

    #[test]
    fn reports_of_sanitizers_are_not_what_a_program_printed() {
        let report = include_str!("../../tests/reports/clang19-thread-race.txt");
        let (message, _) = told(Verdict::ExitStatus, "", &format!("first\n{report}\nlast\n"));
        assert_eq!(message, "it ended: first; last");
    }

    #[test]
    fn what_is_told_is_bounded_and_no_terminal_obeys_it() {
        let long = format!("\u{1b}[1;31mFAIL\u{1b}[0m:\tit\u{7}\u{1b}]0;x {}", "é".repeat(1000));
        let (message, _) = told(Verdict::ExitStatus, "", &long);
        assert!(message.starts_with("it ended: FAIL: it\\u0007\\u001b]0;x é"), "{message}");
        assert!(message.chars().count() < LONGEST + 20 && message.ends_with('…'), "{message}");
    }
}
