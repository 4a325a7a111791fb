//! How each fault shows best: what `threadbare faults` searches with, and which verdicts count as finding it.
#![forbid(unsafe_code)]

use crate::finding::Verdict;
use crate::settings::{Sanitizer, StrategyName};

/// How to look for one fault.
#[derive(Clone, Debug)]
pub struct Entry {
    pub name: &'static str,
    /// The system that the fault is in.
    pub scenario: &'static str,
    pub sanitizer: Sanitizer,
    pub threads: u16,
    pub strategy: StrategyName,
    /// The verdicts by which the fault shows; another verdict is a finding, but not of this fault.
    pub verdicts: &'static [Verdict],
}

/// A handle that is lost, doubled or torn ends in any of these.
const BROKEN_QUEUE: &[Verdict] = &[
    Verdict::DataRace,
    Verdict::MemoryError,
    Verdict::Crash,
    Verdict::Abort,
    Verdict::Lifecycle,
    Verdict::FrameLeak,
    Verdict::LostWakeup,
    Verdict::Deadlock,
    Verdict::Livelock,
    Verdict::Hang,
    Verdict::WrongResult,
];

/// A frame that runs on two threads, or after its end.
const BROKEN_FRAME: &[Verdict] = &[
    Verdict::MemoryError,
    Verdict::UndefinedBehaviour,
    Verdict::Crash,
    Verdict::Abort,
    Verdict::Lifecycle,
    Verdict::FrameLeak,
    Verdict::WrongResult,
];

/// An object that threads change at once without the lock: what they read, or what comes of it, is wrong.
const BROKEN_OBJECT: &[Verdict] = &[
    Verdict::DataRace,
    Verdict::MemoryError,
    Verdict::UndefinedBehaviour,
    Verdict::Crash,
    Verdict::Abort,
    Verdict::WrongHistory,
];

/// A branch that shares its context with another, or does not end it.
const BROKEN_CONTEXT: &[Verdict] = &[Verdict::WrongHistory, Verdict::Invariant, Verdict::Leak, Verdict::DataRace];

/// Every fault that has been measured.
pub const CATALOGUE: &[Entry] = &[
    Entry {
        name: "transfer-moved-task",
        scenario: "transfer",
        sanitizer: Sanitizer::None,
        threads: 2,
        strategy: StrategyName::Random,
        verdicts: &[Verdict::Crash, Verdict::MemoryError, Verdict::UndefinedBehaviour],
    },
    Entry {
        name: "spsc-multi-consumer",
        scenario: "transfer",
        sanitizer: Sanitizer::Thread,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: BROKEN_QUEUE,
    },
    Entry {
        name: "transfer-frame-leak",
        scenario: "transfer",
        sanitizer: Sanitizer::None,
        threads: 2,
        strategy: StrategyName::Random,
        verdicts: &[Verdict::FrameLeak, Verdict::Leak],
    },
    Entry {
        name: "lost-notify",
        scenario: "transfer",
        sanitizer: Sanitizer::None,
        threads: 2,
        strategy: StrategyName::Random,
        verdicts: &[Verdict::LostWakeup, Verdict::Hang],
    },
    Entry {
        name: "continuation-early-resume",
        scenario: "transfer",
        sanitizer: Sanitizer::Address,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: BROKEN_FRAME,
    },
    Entry {
        name: "final-suspend-destroy",
        scenario: "transfer",
        sanitizer: Sanitizer::Address,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: BROKEN_FRAME,
    },
    Entry {
        name: "relaxed-publish",
        scenario: "transfer",
        sanitizer: Sanitizer::Thread,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: &[Verdict::DataRace],
    },
    Entry {
        name: "owner-check-then-set",
        scenario: "ownership",
        sanitizer: Sanitizer::None,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: BROKEN_OBJECT,
    },
    Entry {
        name: "owner-nested-exit",
        scenario: "ownership",
        sanitizer: Sanitizer::None,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: BROKEN_OBJECT,
    },
    Entry {
        name: "owner-check-ignored-flag",
        scenario: "ownership",
        sanitizer: Sanitizer::None,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: &[Verdict::WrongHistory],
    },
    Entry {
        name: "owner-leak-on-throw",
        scenario: "ownership",
        sanitizer: Sanitizer::None,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: &[Verdict::WrongHistory],
    },
    Entry {
        name: "context-captured-main",
        scenario: "context",
        sanitizer: Sanitizer::None,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: BROKEN_CONTEXT,
    },
    Entry {
        name: "context-thread-id-key",
        scenario: "context",
        sanitizer: Sanitizer::None,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: BROKEN_CONTEXT,
    },
    Entry {
        name: "context-pool-reuse",
        scenario: "context",
        sanitizer: Sanitizer::None,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: BROKEN_CONTEXT,
    },
    Entry {
        name: "context-unlocked-check",
        scenario: "context",
        sanitizer: Sanitizer::Thread,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: &[Verdict::DataRace],
    },
    Entry {
        name: "registry-check-then-act",
        scenario: "registry",
        sanitizer: Sanitizer::Thread,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: BROKEN_OBJECT,
    },
    Entry {
        name: "registry-check-only",
        scenario: "registry",
        sanitizer: Sanitizer::Thread,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: BROKEN_OBJECT,
    },
    Entry {
        name: "registry-callback-under-lock",
        scenario: "registry",
        sanitizer: Sanitizer::None,
        threads: 2,
        strategy: StrategyName::Random,
        // Without control nobody can tell it from any other hang.
        verdicts: &[Verdict::Deadlock, Verdict::Hang],
    },
    Entry {
        name: "registry-live-iteration",
        scenario: "registry",
        sanitizer: Sanitizer::Thread,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: BROKEN_OBJECT,
    },
    Entry {
        name: "registry-status-unlocked",
        scenario: "registry",
        sanitizer: Sanitizer::Thread,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: &[Verdict::DataRace],
    },
    Entry {
        name: "lease-unlink-rewrite",
        scenario: "lease",
        sanitizer: Sanitizer::None,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: &[Verdict::WrongHistory],
    },
    Entry {
        name: "lease-shared-temp",
        scenario: "lease",
        sanitizer: Sanitizer::None,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: &[Verdict::WrongHistory],
    },
    Entry {
        name: "lease-stale-unlink",
        scenario: "lease",
        sanitizer: Sanitizer::None,
        threads: 4,
        strategy: StrategyName::Random,
        verdicts: &[Verdict::WrongHistory],
    },
    Entry {
        name: "lease-temp-orphan",
        scenario: "lease",
        sanitizer: Sanitizer::None,
        threads: 2,
        strategy: StrategyName::Random,
        verdicts: &[Verdict::Leak],
    },
    Entry {
        name: "lease-release-foreign",
        scenario: "lease",
        sanitizer: Sanitizer::None,
        threads: 2,
        strategy: StrategyName::Random,
        verdicts: &[Verdict::WrongHistory],
    },
];

/// The entry of a fault.
#[must_use]
pub fn entry(fault: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.name == fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject;

    #[test]
    fn every_fault_of_the_bundled_runtime_is_in_the_catalogue_and_the_other_way_round() {
        let mut faults: Vec<String> = subject::faults().into_iter().map(|fault| fault.name).collect();
        let mut entries: Vec<&str> = CATALOGUE.iter().map(|entry| entry.name).collect();
        faults.sort();
        entries.sort_unstable();
        assert_eq!(faults, entries);
    }
}
