//! The bundled runtime as a target, and the seeded bugs that can be switched on in it.

use std::path::Path;

use anyhow::{Result, anyhow};

use super::{Kind, Target};
use crate::model::settings::Races;

/// What the bundled runtime is called.
pub const NAME: &str = "bundled";

/// A seeded bug: a policy in cpp/bugs/ that replaces one part of the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bug {
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    part: Part,
}

/// Which of the two sources of the runtime a bug takes the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Scheduler,
    Systems,
}

impl Part {
    /// Below cpp/, where it is right.
    fn source(self) -> &'static str {
        match self {
            Self::Scheduler => "adapters/bundled/scheduler.cpp",
            Self::Systems => "adapters/bundled/systems.cpp",
        }
    }
}

/// All of them.
pub const BUGS: [Bug; 32] = [
    scheduler("transfer-moved-task", "the transfer awaiter reads the result through the task it moved from"),
    scheduler("spsc-multi-consumer", "the queues are single-producer single-consumer rings with several of each"),
    scheduler(
        "transfer-frame-leak",
        "the transfer awaiter takes the handle out of the task and nobody destroys the frame",
    ),
    scheduler("lost-notify", "a thread checks its queue, then announces that it sleeps, and does not check again"),
    scheduler("continuation-early-resume", "the parent is queued before the child has fully suspended"),
    scheduler("final-suspend-destroy", "the frame is destroyed by the woken parent while its final suspend still runs"),
    scheduler("relaxed-publish", "the result of a task is published with a relaxed store"),
    scheduler("push-release", "a push is published by a release store, which may come after the look at who sleeps"),
    scheduler("fence-behind-turn", "the fence of a push stands behind the store that it was to order after the item"),
    scheduler("announce-unfenced", "a thread announces that it sleeps by a relaxed change, then looks at the queues"),
    scheduler("stop-flag-apart", "a flag stops the workers, and only those that are seen to sleep are woken for it"),
    scheduler("deadline-release", "the first deadline is published by a release store, then who sleeps is looked at"),
    scheduler("join-relaxed-waiter", "whoever joins a task says by a relaxed change that its pointer is there"),
    scheduler("event-unlocked-set", "a set takes the event's lock only where a flag says that somebody waits"),
    systems("owner-check-then-set", "the owner of a processor is read, compared, then stored"),
    systems("owner-nested-exit", "an inner exit releases the processor although the outer call is still inside"),
    systems("owner-check-ignored-flag", "threads are refused even where access checks are switched off"),
    systems("owner-leak-on-throw", "a body that throws leaves the owner of the processor set"),
    systems("context-captured-main", "whichever thread made the engine counts as the main thread"),
    systems("context-thread-id-key", "contexts live in a map keyed by thread id, and stay there"),
    systems("context-pool-reuse", "a thread_local context outlives its branch on a pool thread"),
    systems("context-unlocked-check", "the map of threads is looked up outside of the lock it is filled under"),
    systems("registry-check-then-act", "a start looks the pair up and stores the arc without a lock"),
    systems("registry-check-only", "a start checks once more before it stores the arc, still without a lock"),
    systems("registry-callback-under-lock", "callbacks run with the lock of the registry held"),
    systems("registry-live-iteration", "process_all walks the live table"),
    systems("registry-status-unlocked", "a status is read without the lock"),
    systems("lease-unlink-rewrite", "a refresh unlinks the lock file, then writes it anew"),
    systems("lease-shared-temp", "all refreshes use the same temporary file"),
    systems("lease-stale-unlink", "the slower of two cleanups unlinks a lock that is not stale any more"),
    systems("lease-temp-orphan", "a rename that fails leaves the temporary file"),
    systems("lease-release-foreign", "a release removes the lock without checking whose it is"),
];

const fn scheduler(name: &'static str, summary: &'static str) -> Bug {
    Bug { name, summary, part: Part::Scheduler }
}

const fn systems(name: &'static str, summary: &'static str) -> Bug {
    Bug { name, summary, part: Part::Systems }
}

/// The bug of that name.
///
/// # Errors
/// There is none; the error lists those that there are.
pub fn bug(name: &str) -> Result<&'static Bug> {
    BUGS.iter().find(|bug| bug.name == name).ok_or_else(|| {
        let known: Vec<&str> = BUGS.iter().map(|bug| bug.name).collect();
        anyhow!("there is no seeded bug \"{name}\"; there are {}", known.join(", "))
    })
}

/// The sources of the runtime, below cpp/.
///
/// # Errors
/// There is no such bug.
pub fn sources(bug: Option<&str>) -> Result<Vec<String>> {
    let bug = bug.map(self::bug).transpose()?;
    let source = |part: Part| match bug {
        Some(bug) if bug.part == part => format!("bugs/{}.cpp", bug.name.replace('-', "_")),
        _ => part.source().to_owned(),
    };
    Ok(vec![source(Part::Scheduler), source(Part::Systems)])
}

/// The runtime, with that bug or without any; `tree` holds cpp/.
///
/// # Errors
/// There is no such bug.
pub fn target(tree: &Path, bug: Option<&str>) -> Result<Target> {
    Ok(Target {
        name: bug.unwrap_or(NAME).to_owned(),
        kind: Kind::Runtime(Races::Off),
        directory: tree.to_owned(),
        sources: Vec::new(),
        shared: sources(bug)?,
        flags: Vec::new(),
    })
}

/// What a runtime without systems of its own is linked with.
#[must_use]
pub fn systems_source() -> String {
    Part::Systems.source().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_replaces_the_source_that_it_is_in() {
        assert_eq!(sources(None).expect("known"), ["adapters/bundled/scheduler.cpp", "adapters/bundled/systems.cpp"]);
        let in_scheduler = sources(Some("lost-notify")).expect("known");
        assert_eq!(in_scheduler, ["bugs/lost_notify.cpp", "adapters/bundled/systems.cpp"]);
        let in_systems = sources(Some("owner-leak-on-throw")).expect("known");
        assert_eq!(in_systems, ["adapters/bundled/scheduler.cpp", "bugs/owner_leak_on_throw.cpp"]);
        let error = sources(Some("lost-key")).expect_err("unknown").to_string();
        assert!(error.contains("\"lost-key\"") && error.contains("lost-notify"), "{error}");
    }
}
