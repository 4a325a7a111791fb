//! Turns the way a worker died into a failure.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::model::verdict::{Failure, OracleName, Verdict};
use crate::oracle::sanitizer::{failures, first_own_call, without_numbers};
use crate::process;

/// Why the supervisor ended a worker itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Killed {
    /// Nothing moved; the text says for how long.
    Hang(String),
    /// It used more than so many bytes.
    Memory(u64),
}

/// What killed a worker, from its exit status and what it printed: at least one failure, the reason first.
#[must_use]
pub fn failures_of(status: ExitStatus, killed: Option<&Killed>, stderr: &str) -> Vec<Failure> {
    let mut failures = failures(stderr);
    // ThreadSanitizer goes on after most reports, so they need not be what ended the process.
    let explained =
        failures.iter().any(|failure| !matches!(failure.verdict, Verdict::DataRace | Verdict::SanitizerReport));
    match killed {
        Some(Killed::Hang(how)) => {
            failures.push(by_process(Verdict::Hang, how.clone(), "no scheduling point was reached"))
        }
        Some(Killed::Memory(limit)) => {
            let message = format!("used more than {} MiB and was ended", limit / (1024 * 1024));
            failures.push(by_process(Verdict::OutOfMemory, message, "memory limit"));
        }
        None if explained => {}
        None => failures.push(end_of(status, stderr)),
    }
    failures
}

/// Why a worker ended before its target was loaded, which says nothing about the target.
#[must_use]
pub fn before_it_began(status: ExitStatus, killed: Option<&Killed>, stderr: &str) -> String {
    let said = stderr.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("====="));
    let how = match killed {
        Some(Killed::Hang(how)) => how.clone(),
        Some(Killed::Memory(limit)) => format!("it used more than {} MiB", limit / (1024 * 1024)),
        None => said.map_or_else(|| status.to_string(), str::to_owned),
    };
    let next = match process::address_space_limit() {
        Some(limit) => format!(
            "the address space is limited to {} MiB (`ulimit -v`), and a worker, above all one with a sanitizer, needs more; \
             take the limit away",
            limit / (1024 * 1024)
        ),
        None => "see whether the compiler and its sanitizers fit this system".to_owned(),
    };
    format!("a worker could not start: {how}; {next}")
}

/// How a process ended that nobody reported on.
fn end_of(status: ExitStatus, stderr: &str) -> Failure {
    if let Some(line) = stderr.lines().find(|line| line.starts_with("memory allocation of ")) {
        return by_process(Verdict::OutOfMemory, line.to_owned(), "memory allocation");
    }
    let said = last_words(stderr);
    let with = |what: String| {
        if said.is_empty() { what } else { format!("{what}: {said}") }
    };
    match (status.signal(), status.code()) {
        (Some(libc::SIGABRT), _) => {
            let failure = by_process(Verdict::Abort, with("ended by SIGABRT".to_owned()), &with("SIGABRT".to_owned()));
            Failure { cause: assertion(&said).unwrap_or(failure.cause), ..failure }
        }
        (Some(signal), _) => {
            let name = signal_name(signal);
            let place = first_own_call(stderr).map_or_else(String::new, |place| format!(" in {place}"));
            by_process(Verdict::Crash, format!("ended by {name}{place}"), &format!("{name}{place}"))
        }
        (None, code) => {
            let what = format!("the process left with exit code {}", code.unwrap_or_default());
            by_process(Verdict::Abort, with(what.clone()), &with(what))
        }
    }
}

fn by_process(verdict: Verdict, message: String, cause: &str) -> Failure {
    Failure { verdict, oracle: OracleName::Process, message, cause: without_numbers(cause) }
}

/// What was said last by whoever ended the process on purpose: C++'s terminate, an assertion, a panic.
fn last_words(stderr: &str) -> String {
    const MARKS: [&str; 5] = ["terminate called", "Assertion", "panicked at", "pure virtual", "fatal error"];
    let lines: Vec<&str> = stderr.lines().collect();
    let Some(at) = lines.iter().rposition(|line| MARKS.iter().any(|mark| line.contains(mark))) else {
        return String::new();
    };
    let next = lines.get(at + 1).map(|line| line.trim()).filter(|line| line.starts_with("what()"));
    [Some(lines[at].trim()), next].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The file of a failed assertion and what was asserted, of `program: file:line: function: Assertion ...`: how the function
/// is told depends on the compiler, and on what a template is made of.
fn assertion(said: &str) -> Option<String> {
    let (place, asserted) = said.split_once(": Assertion ")?;
    let file = place.split(": ").nth(1)?.split(':').next()?.rsplit('/').next()?;
    Some(format!("SIGABRT: {file}: Assertion {asserted}"))
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGILL => "SIGILL",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(number: i32) -> ExitStatus {
        ExitStatus::from_raw(number)
    }

    fn failure_of(status: ExitStatus, killed: Option<&Killed>, stderr: &str) -> Failure {
        failures_of(status, killed, stderr).remove(0)
    }

    fn exit(code: i32) -> ExitStatus {
        ExitStatus::from_raw(code << 8)
    }

    #[test]
    fn signals_are_crashes_named_by_their_signal() {
        let failure = failure_of(signal(libc::SIGSEGV), None, "");
        assert_eq!((failure.verdict, failure.cause.as_str()), (Verdict::Crash, "SIGSEGV"));
        assert_eq!(failure_of(signal(libc::SIGFPE), None, "").cause, "SIGFPE");
    }

    #[test]
    fn terminate_is_an_abort_with_what_was_thrown() {
        let stderr = "terminate called after throwing an instance of 'std::runtime_error'\n  what():  boom 17\n";
        let failure = failure_of(signal(libc::SIGABRT), None, stderr);
        assert_eq!(failure.verdict, Verdict::Abort);
        assert!(failure.message.ends_with("what():  boom 17"), "{}", failure.message);
        assert!(failure.cause.ends_with("what():  boom N"), "{}", failure.cause);
    }

    #[test]
    fn a_failed_assertion_is_known_by_its_file_and_words_whatever_the_compiler_calls_its_function() {
        let cause = |function: &str| {
            let said =
                format!("exe: cpp/runtime/task.hpp:31: {function}: Assertion `index() == 1 && \"ended\"' failed.\n");
            failure_of(signal(libc::SIGABRT), None, &said).cause
        };
        assert_eq!(cause("T a::take() [T = long]"), cause("T a::take() [with T = std::unique_ptr<int>]"));
        assert_eq!(cause("f"), "SIGABRT: task.hpp: Assertion `index() == 1 && \"ended\"' failed.");
    }

    #[test]
    fn a_report_on_standard_error_explains_more_than_the_exit_status() {
        let report = include_str!("../../../tests/reports/clang19-address-uaf.txt");
        assert_eq!(failure_of(exit(86), None, report).verdict, Verdict::MemoryError);
    }

    #[test]
    fn a_failed_allocation_is_out_of_memory() {
        let stderr = "memory allocation of 99 bytes failed\n";
        assert_eq!(failure_of(signal(libc::SIGABRT), None, stderr).verdict, Verdict::OutOfMemory);
    }

    #[test]
    fn what_the_supervisor_ended_keeps_the_supervisors_reason() {
        let hang = Killed::Hang("no scheduling point for 10 s of CPU time".to_owned());
        assert_eq!(failure_of(signal(libc::SIGKILL), Some(&hang), "").verdict, Verdict::Hang);
        let memory = Killed::Memory(1 << 30);
        assert_eq!(
            failure_of(signal(libc::SIGKILL), Some(&memory), "").message,
            "used more than 1024 MiB and was ended"
        );
    }

    #[test]
    fn leaving_with_an_exit_code_is_an_abort() {
        assert_eq!(failure_of(exit(3), None, "").verdict, Verdict::Abort);
    }

    #[test]
    fn a_race_that_was_reported_before_a_crash_comes_first_and_the_crash_is_kept() {
        let report = include_str!("../../../tests/reports/clang19-thread-race.txt");
        let failures = failures_of(signal(libc::SIGSEGV), None, report);
        let verdicts: Vec<Verdict> = failures.iter().map(|failure| failure.verdict).collect();
        assert_eq!(verdicts, [Verdict::DataRace, Verdict::Crash]);
    }
}
