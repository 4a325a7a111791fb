//! Which behaviours the executions of a campaign showed and how often, and what more executions would bring.
//!
//! A behaviour is known by a hash of what the execution did; here, of which write each read saw. The estimate is Good and
//! Turing's (Good: "The Population Frequencies of Species and the Estimation of Population Parameters", Biometrika 40, 1953), as
//! Böhme uses it for fuzzing ("STADS: Software Testing as Species Discovery", TOSEM 27, 2018): the next execution shows a
//! behaviour that none before has shown with a chance of about the number of behaviours seen once, divided by that of executions.
//!
//! At most [`MOST`] behaviours are kept, those with the smallest hashes: as soon as there are more, only hashes below half of
//! the bound count (Flajolet: "On Adaptive Sampling", Computing 43, 1990). So what is kept is a fair sample of all, and does not
//! depend on the order in which executions, or parts of a campaign, are added.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Behaviours whose counts are kept at most.
const MOST: usize = 2_048;
/// With fewer executions there is no estimate.
const FEWEST: u64 = 30;
/// Where a chance is more than this by the number of trials, all of them fail in less than 5 of 100 cases (the rule of three).
const RULE_OF_THREE: u64 = 3;

/// What was seen so far. Invariant: every kept hash has at least as many leading zeros as the bound was halved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behaviours {
    /// Executions that were looked at.
    looked: u64,
    /// How often the bound of hashes was halved.
    halved: u32,
    /// By hash: executions that showed it.
    counts: BTreeMap<u64, u64>,
}

/// What can be said of the next execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prospect {
    /// Too few were looked at.
    Unknown,
    /// About one in so many shows a new behaviour.
    OneIn(u64),
    /// Each behaviour was seen more than once; most likely fewer than one in so many show a new one.
    FewerThanOneIn(u64),
}

impl Behaviours {
    /// An execution showed the behaviour of this hash, of which all bits are as good as random.
    pub fn see(&mut self, hash: u64) {
        self.looked += 1;
        if hash.leading_zeros() >= self.halved {
            *self.counts.entry(hash).or_default() += 1;
            self.limit();
        }
    }

    /// Adds what other executions showed.
    pub fn add(&mut self, other: &Self) {
        self.looked += other.looked;
        if other.halved > self.halved {
            self.halved = other.halved;
            self.drop_large();
        }
        for (hash, count) in other.counts.iter().filter(|(hash, _)| hash.leading_zeros() >= self.halved) {
            *self.counts.entry(*hash).or_default() += count;
        }
        self.limit();
    }

    /// Executions that were looked at.
    #[must_use]
    pub fn looked(&self) -> u64 {
        self.looked
    }

    /// How many behaviours there were; about as many, if there were many.
    #[must_use]
    pub fn seen(&self) -> u64 {
        (self.counts.len() as u64) << self.halved
    }

    /// How many of them one execution alone showed, in the same way.
    #[must_use]
    pub fn seen_once(&self) -> u64 {
        (self.counts.values().filter(|count| **count == 1).count() as u64) << self.halved
    }

    /// What one more execution would bring that is made as these were.
    #[must_use]
    pub fn prospect(&self) -> Prospect {
        match self.seen_once() {
            _ if self.looked < FEWEST => Prospect::Unknown,
            0 => Prospect::FewerThanOneIn(self.looked / RULE_OF_THREE),
            once => Prospect::OneIn(((self.looked + once / 2) / once).max(1)),
        }
    }

    fn limit(&mut self) {
        while self.counts.len() > MOST {
            self.halved += 1;
            self.drop_large();
        }
    }

    fn drop_large(&mut self) {
        let halved = self.halved;
        self.counts.retain(|hash, _| hash.leading_zeros() >= halved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::Dice;

    /// Spreads small numbers over all hashes.
    fn hash(behaviour: u64) -> u64 {
        Dice::new(behaviour).below(u64::MAX)
    }

    /// Draws executions, each of which shows a behaviour with the chance of its weight.
    fn drawn(weights: &[u64], executions: u64, seed: u64) -> Behaviours {
        let (mut dice, total) = (Dice::new(seed), weights.iter().sum());
        let mut behaviours = Behaviours::default();
        for _ in 0..executions {
            let mut at = dice.below(total);
            let shown = weights.iter().position(|weight| {
                let here = at < *weight;
                at = at.saturating_sub(*weight);
                here
            });
            behaviours.see(hash(shown.expect("below the total") as u64));
        }
        behaviours
    }

    /// One in how many more executions would show a behaviour that was not seen.
    fn truth(weights: &[u64], behaviours: &Behaviours) -> f64 {
        let unseen = |(number, _): &(u64, &u64)| !behaviours.counts.contains_key(&hash(*number));
        let left: u64 = (0..).zip(weights).filter(unseen).map(|(_, weight)| weight).sum();
        weights.iter().sum::<u64>() as f64 / left as f64
    }

    #[test]
    fn the_estimate_is_near_the_truth_for_even_and_for_skewed_behaviours() {
        let even = vec![1; 1_000];
        // A few common ones, and ever rarer ones.
        let skewed: Vec<u64> = (1..=1_000).map(|rank| 1_000_000 / (rank * rank)).collect();
        for (weights, executions) in [(&even, 1_500), (&even, 3_000), (&skewed, 300), (&skewed, 3_000)] {
            let (mut ratios, trials) = (0.0, 20);
            for seed in 0..trials {
                let behaviours = drawn(weights, executions, seed);
                let Prospect::OneIn(estimate) = behaviours.prospect() else { panic!("some were seen once") };
                ratios += estimate as f64 / truth(weights, &behaviours);
            }
            let ratio = ratios / trials as f64;
            assert!((0.9..1.2).contains(&ratio), "{executions} executions: {ratio}");
        }
    }

    #[test]
    fn what_was_seen_often_promises_nothing_new_and_too_little_says_nothing() {
        assert_eq!(drawn(&[1, 1], 29, 1).prospect(), Prospect::Unknown);
        assert_eq!(drawn(&[1, 1], 300, 1).prospect(), Prospect::FewerThanOneIn(100));
        assert_eq!(Behaviours::default().prospect(), Prospect::Unknown);
        let mut each_new = Behaviours::default();
        (0..40).for_each(|number| each_new.see(hash(number)));
        assert_eq!(each_new.prospect(), Prospect::OneIn(1));
    }

    #[test]
    fn many_behaviours_are_sampled_and_the_order_of_parts_does_not_matter() {
        let part = |from: u64, to: u64| {
            let mut part = Behaviours::default();
            // Every third is shown twice.
            (from..to).for_each(|number| (0..=u64::from(number % 3 == 0)).for_each(|_| part.see(hash(number))));
            part
        };
        let (whole, parts) = (part(0, 60_000), [part(0, 100), part(100, 50_000), part(50_000, 60_000)]);
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let mut sum = Behaviours::default();
            order.iter().for_each(|index| sum.add(&parts[*index]));
            assert_eq!(sum, whole, "{order:?}");
        }
        assert!(whole.counts.len() <= MOST && whole.looked == 80_000);
        assert!((57_000..63_000).contains(&whole.seen()), "{}", whole.seen());
        assert!((38_000..42_000).contains(&whole.seen_once()), "{}", whole.seen_once());
    }
}
