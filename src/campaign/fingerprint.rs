//! Tells causes apart: findings of one fingerprint are the same finding, and are kept once.
//!
//! Who else has a say in what is the same:
//! - **The cause** comes from whoever judges: an oracle, or, for what a sanitizer prints, `oracle/sanitizer.rs`, where a
//!   race is known by the functions of both accesses in either order. A death's is the signal or the last words
//!   (`supervisor/death.rs`), and a failed expectation of a test is known by its place (`printed.rs`), as is a status or
//!   `abort` by the last line on standard error, but for the numbers in it.
//! - **What a task graph happened to do is no cause.** A lost wake-up is known by what the threads wait in, not by the
//!   operation that the task is in which nobody woke: a scheduler that forgets to wake a thread leaves whatever was queued,
//!   so one such bug came as eleven. Nothing that is recorded tells it from an object that forgets one of its waiters. So of
//!   two in one runtime that leave the threads waiting alike, the second is a finding once the first is mended; their
//!   messages name the operation all the same. Likewise a wrong history is known by the kind of object, not by the call that
//!   notices: one bug of a lease came as six, and three of processors shared theirs. A broken lifecycle is known by its rule,
//!   with the operation only where a task goes on on the wrong thread or too early, which is that operation's doing. Of a
//!   race, all coroutines of the harness are one function, since which of them runs depends on what a task returns.
//! - **In a worker** what is known is counted and not reported again (`tally.rs`). There, races of a program are told
//!   apart before they are text, by the addresses of their accesses (`signature` in `control/sanitizer.rs`).
//! - **From slice to slice** the supervisor hands on what is known. Of several failures of one execution, each that is not
//!   known yet makes a finding (`Known::settle`, `Found::each`).
//! - **Of one bug that fails in many ways** each is a finding. Those are told together that need a choice in the same place
//!   (`decisive.rs`).
//! - **In the directory** a fingerprint is kept once, from its earliest execution (`findings.rs`).
//! - **A replay** of the code that the case is of does the same if its fingerprint is among what failed, and of code that
//!   may have changed, if its verdict is (`replay.rs`). So does a smaller task graph, which has other operations to be
//!   stuck in (`minimise/graph.rs`).
//! - **A schedule that is made smaller**, or sampled to explain one, must fail with the same fingerprint (`trials.rs`).

use crate::digest::{BASIS, fnv1a};
use crate::model::splitmix::splitmix64;
use crate::model::verdict::Failure;
use crate::model::word;

/// 16 hexadecimal digits that depend on the verdict, the oracle and the cause, and on nothing else.
#[must_use]
pub fn fingerprint(failure: &Failure) -> String {
    let mut hash = 0;
    for part in [word(&failure.verdict), word(&failure.oracle), failure.cause.clone()] {
        hash = splitmix64(hash ^ fnv1a(BASIS, part.as_bytes()));
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::verdict::{OracleName, Verdict};

    fn failure() -> Failure {
        Failure {
            verdict: Verdict::Deadlock,
            oracle: OracleName::Progress,
            message: "task 3 waits for ever".to_owned(),
            cause: "stuck in Lock".to_owned(),
        }
    }

    #[test]
    fn a_fingerprint_does_not_depend_on_the_message() {
        let other = Failure { message: "task 9 waits for ever".to_owned(), ..failure() };
        assert_eq!(fingerprint(&failure()), fingerprint(&other));
    }

    #[test]
    fn a_fingerprint_depends_on_verdict_oracle_and_cause() {
        let others = [
            Failure { verdict: Verdict::LostWakeup, ..failure() },
            Failure { oracle: OracleName::Process, ..failure() },
            Failure { cause: "stuck in Join".to_owned(), ..failure() },
        ];
        for other in others {
            assert_ne!(fingerprint(&failure()), fingerprint(&other), "{other:?}");
        }
    }

    #[test]
    fn a_fingerprint_stays_the_same_from_version_to_version() {
        assert_eq!(fingerprint(&failure()), "94918f1cf4d21978");
    }
}
