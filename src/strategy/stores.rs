//! Which store an atomic operation is on, drawn.

use super::Dice;

/// Keeps the draws apart from what strategies draw from the same seed.
const DRAW: u64 = 0x7374_6f72_6573;

/// Draws stores in one of two manners, which the seed of the execution decides: every store is as likely as any other, which is
/// best where many matter; or the oldest in half of the cases, which is best where one thread must have missed much.
#[derive(Clone, Debug)]
pub struct Stores {
    dice: Dice,
    prefers_oldest: bool,
}

impl Stores {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ DRAW);
        let prefers_oldest = dice.one_in(2);
        Self { dice, prefers_oldest }
    }

    /// By how many the store is older than the newest, of so many that there are.
    pub fn draw(&mut self, stores: u16) -> u16 {
        if self.prefers_oldest && self.dice.one_in(2) {
            return stores - 1;
        }
        self.dice.below(stores.into()) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_store_is_drawn_in_either_manner_and_the_oldest_most_in_one() {
        let share_of_oldest = |seed: u64| {
            let mut stores = Stores::new(seed);
            let mut counts = [0_u32; 4];
            (0..4_000).for_each(|_| counts[usize::from(stores.draw(4))] += 1);
            assert!(counts.iter().all(|&count| count > 300), "{counts:?}");
            (stores.prefers_oldest, counts[3])
        };
        let shares: Vec<_> = (0..16).map(share_of_oldest).collect();
        assert!(shares.iter().all(|&(prefers, oldest)| if prefers { oldest > 2_200 } else { oldest < 1_200 }));
        assert!(shares.iter().any(|share| share.0) && shares.iter().any(|share| !share.0));
    }
}
