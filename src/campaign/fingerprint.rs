//! Tells causes apart: findings of one fingerprint are kept once.
#![forbid(unsafe_code)]

use crate::finding::Failure;

use super::seed::splitmix64;

/// 16 hexadecimal digits that depend on the verdict, the oracle and the cause, and on nothing else.
#[must_use]
pub fn fingerprint(failure: &Failure) -> String {
    let name = |value: &dyn std::fmt::Debug| format!("{value:?}");
    let mut hash = 0;
    for part in [name(&failure.verdict), name(&failure.oracle), failure.cause.clone()] {
        hash = splitmix64(hash ^ fnv1a(part.as_bytes()));
    }
    format!("{hash:016x}")
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{OracleName, Verdict};

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
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(fingerprint(&failure()).len(), 16);
    }
}
