//! What the controller may let go wrong.

use crate::model::schedule::Injection;

/// For each operation that can go wrong in one of these ways, the strategy chooses whether it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Injections {
    /// A bit for each [`Injection`], by its number.
    allowed: u64,
    /// The allocation of an execution that fails, counted from 1.
    pub failing_allocation: Option<u64>,
}

impl Injections {
    /// Those, and no other.
    #[must_use]
    pub fn of(injections: &[Injection]) -> Self {
        let mut all = Self::default();
        injections.iter().for_each(|injection| all.set(*injection, true));
        all
    }

    /// The same, and the allocation of that number fails, counted from 1.
    #[must_use]
    pub fn with_failing_allocation(self, failing_allocation: Option<u64>) -> Self {
        Self { failing_allocation, ..self }
    }

    /// Those of a number that [`Injections::bits`] gave; `None` if it has others.
    #[must_use]
    pub fn from_bits(bits: u64) -> Option<Self> {
        let all = Self::of(&Injection::ALL);
        (bits & !all.allowed == 0).then_some(Self { allowed: bits, failing_allocation: None })
    }

    /// The number that encodes what is allowed, the failing allocation left out.
    #[must_use]
    pub fn bits(self) -> u64 {
        self.allowed
    }

    /// Whether operations may go wrong in this way.
    #[must_use]
    #[inline]
    pub fn allow(self, injection: Injection) -> bool {
        self.allowed & bit(injection) != 0
    }

    /// Allows it or not.
    pub fn set(&mut self, injection: Injection, is_allowed: bool) {
        if is_allowed {
            self.allowed |= bit(injection);
        } else {
            self.allowed &= !bit(injection);
        }
    }

    /// Allows what the other one allows as well.
    pub fn include(&mut self, other: Self) {
        self.allowed |= other.allowed;
    }

    /// Whether an execution may stop in the middle and leave a process that can execute nothing more.
    #[must_use]
    pub fn may_end_process(self) -> bool {
        self.allow(Injection::Crash) || self.failing_allocation.is_some()
    }

    /// Those that are allowed.
    pub fn iter(self) -> impl Iterator<Item = Injection> {
        Injection::ALL.into_iter().filter(move |&injection| self.allow(injection))
    }
}

fn bit(injection: Injection) -> u64 {
    1 << injection as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_is_what_was_set() {
        let mut injections = Injections::of(&[Injection::Eio, Injection::Crash]);
        injections.set(Injection::Eio, false);
        injections.include(Injections::of(&[Injection::WeakFailure]));
        assert_eq!(injections.iter().collect::<Vec<_>>(), [Injection::Crash, Injection::WeakFailure]);
        assert_eq!(Injections::from_bits(injections.bits()), Some(injections));
        assert_eq!(Injections::from_bits(1 << Injection::ALL.len()), None);
    }
}
