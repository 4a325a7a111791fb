//! How each seeded bug shows best: what `threadbare bugs` searches with, and which verdicts count as finding it.

use crate::model::settings::{MemoryModel, Sanitizer, StrategyName};
use crate::model::verdict::Verdict;

/// How to look for one bug.
#[derive(Clone, Debug)]
pub struct Entry {
    pub name: &'static str,
    /// The system that the bug is in.
    pub scenario: &'static str,
    pub sanitizer: Sanitizer,
    pub threads: u16,
    pub strategy: StrategyName,
    /// What it is looked for under: interleavings, unless it shows in none.
    pub memory: MemoryModel,
    /// The verdicts by which the bug shows; another verdict is a finding, but not of this bug.
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

/// A thread that nobody wakes, or a coroutine that nobody resumes.
const LOST: &[Verdict] = &[Verdict::LostWakeup, Verdict::Deadlock];

/// A bug that the random strategy finds, as it does all of them.
const fn entry(
    name: &'static str,
    scenario: &'static str,
    sanitizer: Sanitizer,
    threads: u16,
    verdicts: &'static [Verdict],
) -> Entry {
    let (strategy, memory) = (StrategyName::Random, MemoryModel::Sc);
    Entry { name, scenario, sanitizer, threads, strategy, memory, verdicts }
}

/// A bug of the scheduler's memory orders, which shows in no interleaving.
const fn of_order(name: &'static str, memory: MemoryModel, threads: u16, verdicts: &'static [Verdict]) -> Entry {
    Entry { memory, ..entry(name, "transfer", Sanitizer::None, threads, verdicts) }
}

/// Every bug that has been measured.
pub const CATALOGUE: &[Entry] = &[
    entry(
        "transfer-moved-task",
        "transfer",
        Sanitizer::None,
        2,
        &[Verdict::Crash, Verdict::MemoryError, Verdict::UndefinedBehaviour],
    ),
    entry("spsc-multi-consumer", "transfer", Sanitizer::Thread, 4, BROKEN_QUEUE),
    entry("transfer-frame-leak", "transfer", Sanitizer::None, 2, &[Verdict::FrameLeak, Verdict::Leak]),
    entry("lost-notify", "transfer", Sanitizer::None, 2, &[Verdict::LostWakeup, Verdict::Hang]),
    entry("continuation-early-resume", "transfer", Sanitizer::Address, 4, BROKEN_FRAME),
    entry("final-suspend-destroy", "transfer", Sanitizer::Address, 4, BROKEN_FRAME),
    entry("relaxed-publish", "transfer", Sanitizer::Thread, 4, &[Verdict::DataRace]),
    of_order("push-release", MemoryModel::Tso, 2, LOST),
    of_order("fence-behind-turn", MemoryModel::Cpp20, 2, LOST),
    of_order("announce-unfenced", MemoryModel::Cpp20, 2, LOST),
    of_order("stop-flag-apart", MemoryModel::Tso, 2, LOST),
    of_order("deadline-release", MemoryModel::Cpp20, 2, LOST),
    of_order("join-relaxed-waiter", MemoryModel::Cpp20, 2, &[Verdict::Crash]),
    of_order("event-unlocked-set", MemoryModel::Cpp20, 3, LOST),
    entry("owner-check-then-set", "ownership", Sanitizer::None, 4, BROKEN_OBJECT),
    entry("owner-nested-exit", "ownership", Sanitizer::None, 4, BROKEN_OBJECT),
    entry("owner-check-ignored-flag", "ownership", Sanitizer::None, 4, &[Verdict::WrongHistory]),
    entry("owner-leak-on-throw", "ownership", Sanitizer::None, 4, &[Verdict::WrongHistory]),
    entry("context-captured-main", "context", Sanitizer::None, 4, BROKEN_CONTEXT),
    entry("context-thread-id-key", "context", Sanitizer::None, 4, BROKEN_CONTEXT),
    entry("context-pool-reuse", "context", Sanitizer::None, 4, BROKEN_CONTEXT),
    entry("context-unlocked-check", "context", Sanitizer::Thread, 4, &[Verdict::DataRace]),
    entry("registry-check-then-act", "registry", Sanitizer::Thread, 4, BROKEN_OBJECT),
    entry("registry-check-only", "registry", Sanitizer::Thread, 4, BROKEN_OBJECT),
    // Without control nobody can tell its deadlock from any other hang.
    entry("registry-callback-under-lock", "registry", Sanitizer::None, 2, &[Verdict::Deadlock, Verdict::Hang]),
    entry("registry-live-iteration", "registry", Sanitizer::Thread, 4, BROKEN_OBJECT),
    entry("registry-status-unlocked", "registry", Sanitizer::Thread, 4, &[Verdict::DataRace]),
    entry("lease-unlink-rewrite", "lease", Sanitizer::None, 4, &[Verdict::WrongHistory]),
    entry("lease-shared-temp", "lease", Sanitizer::None, 4, &[Verdict::WrongHistory]),
    entry("lease-stale-unlink", "lease", Sanitizer::None, 4, &[Verdict::WrongHistory]),
    entry("lease-temp-orphan", "lease", Sanitizer::None, 2, &[Verdict::Leak]),
    entry("lease-release-foreign", "lease", Sanitizer::None, 2, &[Verdict::WrongHistory]),
];

/// The entry of a bug.
#[must_use]
pub fn by_name(bug: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.name == bug)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::bundled::BUGS;

    #[test]
    fn every_bug_of_the_bundled_runtime_is_in_the_catalogue_and_the_other_way_round() {
        let mut bugs = BUGS.map(|bug| bug.name);
        let mut entries: Vec<&str> = CATALOGUE.iter().map(|entry| entry.name).collect();
        bugs.sort_unstable();
        entries.sort_unstable();
        assert_eq!(bugs.to_vec(), entries);
    }
}
