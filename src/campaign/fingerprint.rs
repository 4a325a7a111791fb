//! Tells causes apart: findings of one fingerprint are kept once.

use super::seed::splitmix64;
use crate::digest::{BASIS, fnv1a};
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
