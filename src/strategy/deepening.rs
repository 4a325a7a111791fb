//! How far a search of all executions follows loops that wait for others: few rounds at first, and more for as long as that
//! costs little.

/// Rounds after which the others must go on first: at the beginning, and at most.
const PATIENCE: u32 = 4;
const MOST_PATIENCE: u32 = 256;
/// What it is multiplied with from one search to the next.
const FACTOR: u32 = 2;
/// A search that looks as if it took more executions is not begun.
const LONG: u64 = 15_000;

/// How far a search follows loops.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    pub patience: u32,
    /// Executions that the search before took, which was less patient; 0 if there was none.
    before: u64,
}

impl Reach {
    pub fn new() -> Self {
        Self { patience: PATIENCE, before: 0 }
    }

    /// With which the search begins anew that took so many executions with this one, if it does. One loop takes as many
    /// times as many as it has rounds, several loops more, as the last two searches show.
    pub fn deeper(self, executions: u64) -> Option<Self> {
        let growth = if self.before == 0 { 0 } else { executions.div_ceil(self.before) };
        let expected = executions.saturating_mul(growth.max(FACTOR.into()));
        let patience = self.patience * FACTOR;
        (expected <= LONG && patience <= MOST_PATIENCE).then_some(Self { patience, before: executions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The patience that a search ends with which takes so many executions with each.
    fn last(executions: impl Fn(u32) -> u64) -> u32 {
        let mut reach = Reach::new();
        while let Some(deeper) = reach.deeper(executions(reach.patience)) {
            reach = deeper;
        }
        reach.patience
    }

    #[test]
    fn loops_within_loops_are_followed_less_far_than_single_ones() {
        assert_eq!(last(|patience| u64::from(patience) + 1), 256);
        assert_eq!(last(|patience| u64::from(patience).pow(2)), 64);
        assert_eq!(last(|patience| u64::from(patience).pow(3)), 16);
        assert_eq!(last(|_| 7_501), 4);
    }
}
