//! The set of reads-from pairs that an execution shows, as one number: its behaviour, for statistics.
//!
//! Such sets are the abstract schedules of Wolff, Shi, Duck, Mathur and Roychoudhury ("Greybox Fuzzing for Concurrency Testing",
//! ASPLOS 2024).

use crate::model::splitmix::splitmix64;

/// Pairs that are told apart; a power of 2. Two that share a bit count as one, which is seldom: programs have hundreds.
const BITS: usize = 1 << 16;
const WORD: usize = u64::BITS as usize;

/// The pairs of one execution. It takes no memory later, since the threads of an execution share it.
pub struct Pairs {
    seen: Box<[u64]>,
    digest: u64,
}

impl Pairs {
    pub fn new() -> Self {
        Self { seen: vec![0; BITS / WORD].into(), digest: 0 }
    }

    /// A new execution begins.
    pub fn begin(&mut self) {
        self.seen.fill(0);
        self.digest = 0;
    }

    /// The execution shows the pair of this hash, whose upper half depends on every bit of what it is of.
    #[inline]
    pub fn add(&mut self, hash: u64) {
        let bit = (hash >> 32) as usize % BITS;
        let (word, mask) = (&mut self.seen[bit / WORD], 1 << (bit % WORD));
        if *word & mask == 0 {
            *word |= mask;
            // A sum, so that the order in which pairs come does not matter.
            self.digest = self.digest.wrapping_add(splitmix64(bit as u64));
        }
    }

    /// Tells sets of pairs apart; all bits are as good as random.
    pub fn digest(&self) -> u64 {
        splitmix64(self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest_of(pairs: &mut Pairs, hashes: &[u64]) -> u64 {
        pairs.begin();
        hashes.iter().for_each(|hash| pairs.add(hash << 32));
        pairs.digest()
    }

    #[test]
    fn a_set_has_the_same_number_in_any_order_and_another_set_another_one() {
        let mut pairs = Pairs::new();
        let set = digest_of(&mut pairs, &[3, 70, 9]);
        assert_eq!(set, digest_of(&mut pairs, &[9, 3, 3, 70, 9]));
        for other in [&[][..], &[3], &[3, 70], &[3, 70, 9, 1]] {
            assert_ne!(set, digest_of(&mut pairs, other), "{other:?}");
        }
    }
}
