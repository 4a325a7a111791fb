//! The rules of a SARIF file: one for each verdict, and one for regression cases.

use clap::ValueEnum;
use serde::Serialize;

use super::{Text, text};
use crate::model::verdict::Verdict;
use crate::model::word;

/// The rule that a regression case breaks when it does not show its recorded verdict.
pub const REGRESSION: &str = "regression";

const HELP: &str = "The message ends with the command that replays the case. `threadbare show CASE` prints the task graph, \
                    the evidence and the timeline, and `threadbare minimise CASE` makes the task graph small.";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    id: String,
    name: String,
    short_description: Text,
    full_description: Text,
    help: Text,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

impl Rule {
    fn new(id: String, short: &str, hint: &str) -> Self {
        Self {
            name: pascal(&id),
            id,
            short_description: text(short),
            full_description: text(&format!("{short} {hint}")),
            help: text(&format!("{hint} {HELP}")),
            default_configuration: Configuration { level: "error" },
        }
    }
}

/// Every rule, in an order that stays the same.
pub fn all() -> Vec<Rule> {
    let of = |verdict: &Verdict| {
        let (short, hint) = describe(*verdict);
        Rule::new(word(verdict), short, hint)
    };
    let mut rules: Vec<Rule> = failing().map(of).collect();
    let short = "A regression case did not show its recorded verdict.";
    let hint = "Either what it guards against is back, or the code changed so much that its schedule no longer fits: \
                then record it anew.";
    rules.push(Rule::new(REGRESSION.to_owned(), short, hint));
    rules
}

/// The position of a rule in [`all`].
pub fn index_of(id: &str) -> usize {
    // The rule for regressions is the last.
    failing().position(|verdict| word(verdict) == id).unwrap_or_else(|| failing().count())
}

fn failing() -> impl Iterator<Item = &'static Verdict> {
    Verdict::value_variants().iter().filter(|verdict| **verdict != Verdict::Clean)
}

/// What a verdict means, and where to look first.
fn describe(verdict: Verdict) -> (&'static str, &'static str) {
    const SANITIZER: &str = "The sanitizer's report is in the case; its first stacks name the functions.";
    const ENDED: &str = "The last words of the process and the last steps of the timeline say where it ended.";
    const STUCK: &str = "The message says what each thread waits for; read the timeline from its end backwards.";
    const COMPARED: &str = "The message names the tasks and the values; read the timeline from its end backwards.";
    match verdict {
        Verdict::Clean => ("Nothing failed.", ""),
        Verdict::DataRace => {
            ("Two threads access the same memory, one of them writes, and nothing orders them.", SANITIZER)
        }
        Verdict::MemoryError => ("Memory is used after it was freed, beyond its bounds, or freed twice.", SANITIZER),
        Verdict::UndefinedBehaviour => ("The program does what the language leaves undefined.", SANITIZER),
        Verdict::Leak => ("Memory was not freed, or an object was not given back.", SANITIZER),
        Verdict::SanitizerReport => ("A sanitizer made another report.", SANITIZER),
        Verdict::Crash => ("The process was ended by a signal such as SIGSEGV.", ENDED),
        Verdict::Abort => ("The process was ended by abort or std::terminate.", ENDED),
        Verdict::FailedAssertion => ("An assertion did not hold.", ENDED),
        Verdict::UncaughtException => ("Nothing caught an exception.", ENDED),
        Verdict::ExitStatus => ("The program ended with another status than 0.", ENDED),
        Verdict::OutOfMemory => ("The process used more memory than it may.", ENDED),
        Verdict::WrongResult => ("A value differs from what the reference computes.", COMPARED),
        Verdict::Lifecycle => {
            ("A task did not run exactly once, did not run to its end, or ran on the wrong thread.", COMPARED)
        }
        Verdict::FrameLeak => ("A coroutine frame was not destroyed exactly once.", COMPARED),
        Verdict::WrongHistory => ("The history of a shared object is not linearizable.", COMPARED),
        Verdict::TornFile => ("A crash left a file that is not whole.", COMPARED),
        Verdict::Invariant => ("A promise broke: of a timer, a callback or a context.", COMPARED),
        Verdict::Deadlock => ("No thread can proceed.", STUCK),
        Verdict::LostWakeup => ("No thread proceeds, although a task is ready or an operation could complete.", STUCK),
        Verdict::Livelock => ("The execution continues without progress.", STUCK),
        Verdict::Misuse => ("A lock or the like is used in a way that its standard leaves undefined.", ENDED),
        Verdict::Hang => ("There was no progress until the process was killed.", STUCK),
    }
}

/// `lost-wakeup` as `LostWakeup`.
fn pascal(id: &str) -> String {
    let capital = |part: &str| part[..1].to_uppercase() + &part[1..];
    id.split('-').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_that_fails_has_a_rule_which_its_index_leads_to() {
        let rules = all();
        assert_eq!(rules.len(), Verdict::value_variants().len());
        for verdict in failing() {
            let rule = &rules[index_of(&word(verdict))];
            assert_eq!(rule.id, word(verdict));
            assert!(rule.help.text.len() > HELP.len() && !rule.short_description.text.is_empty());
        }
        assert_eq!(rules[index_of(REGRESSION)].id, REGRESSION);
    }

    #[test]
    fn names_are_those_of_the_source() {
        for verdict in failing() {
            assert_eq!(pascal(&word(verdict)), format!("{verdict:?}"));
        }
    }
}
