//! Choices from a list of small numbers, as a fuzzer makes them.

use std::sync::{Mutex, PoisonError};

use super::{Decision, Divergence, Manner, Random, Stores, Strategy, Turn, inject_at_random};
use crate::model::execution::ThreadId;
use crate::model::schedule::Injection;

/// The low bits of a number say who, the others how long.
const WHO_BITS: u32 = 5;
const WHO: u16 = (1 << WHO_BITS) - 1;
/// Who, from here on: somebody whose time-out happens, if there is one.
const TIME_OUTS: u16 = WHO - 1;
/// Scheduling points that a turn lasts: at most.
pub const LONGEST_TURN: u16 = 1 << (u16::BITS - WHO_BITS);

/// The numbers of the execution that begins next. They are the process's, as the session is.
static LAID_OUT: Mutex<Vec<u16>> = Mutex::new(Vec::new());

/// Lays out the numbers for the execution that begins next.
pub fn lay_out(numbers: &[u16]) {
    let mut laid_out = LAID_OUT.lock().unwrap_or_else(PoisonError::into_inner);
    laid_out.clear();
    laid_out.extend_from_slice(numbers);
}

/// The number that lets somebody run for so many points, which are 1 to [`LONGEST_TURN`].
#[must_use]
pub fn number(who: u16, points: u16) -> u16 {
    (points.clamp(1, LONGEST_TURN) - 1) << WHO_BITS | who & WHO
}

/// What a number says: who, and for how many points.
#[must_use]
pub fn parts(number: u16) -> (u16, u16) {
    (number & WHO, (number >> WHO_BITS) + 1)
}

/// Reads one number for each decision. Any number fits anywhere, so a list that lost a number, or whose program
/// changed, still stands for a schedule. When the list ends, a random walk goes on, and stores are drawn.
pub struct Bytes {
    numbers: Vec<u16>,
    /// The next number's index.
    next: usize,
    /// The point at which the current turn ends.
    end: u64,
    after: Random,
    stores_after: Stores,
}

impl Bytes {
    #[must_use]
    pub fn new() -> Self {
        Self { numbers: Vec::new(), next: 0, end: 0, after: Random::new(), stores_after: Stores::new(0) }
    }

    fn take(&mut self) -> Option<u16> {
        let number = self.numbers.get(self.next).copied();
        self.next += usize::from(number.is_some());
        number
    }
}

impl Default for Bytes {
    fn default() -> Self {
        Self::new()
    }
}

impl Strategy for Bytes {
    // An input alone says what happens.
    fn manner(&self) -> Manner {
        Manner { lets_stay: false, draws_stores: false, ..Manner::default() }
    }

    fn begin(&mut self, seed: u64, expected_points: u64) {
        // Copied here, since in the middle of an execution no memory may be taken.
        self.numbers.clear();
        self.numbers.append(&mut LAID_OUT.lock().unwrap_or_else(PoisonError::into_inner));
        self.next = 0;
        self.end = 0;
        self.after.begin(seed, expected_points);
        self.stores_after = Stores::new(seed);
    }

    fn choose(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence> {
        // Asked early, since somebody new can run: a turn lasts as long as its number says.
        if let Some(thread) = decision.current
            && !decision.yielding
            && decision.points < self.end
        {
            return Ok(Turn { thread, points: (self.end - decision.points) as u32 });
        }
        let Some(number) = self.take() else { return self.after.choose(decision) };
        let (who, points) = parts(number);
        self.end = decision.points + u64::from(points);
        let turn = |thread| Ok(Turn { thread, points: points.into() });
        let who = usize::from(who);
        if decision.runnable.is_empty() || who >= usize::from(TIME_OUTS) && !decision.sleeping.is_empty() {
            return turn(decision.sleeping[who % decision.sleeping.len()].thread);
        }
        let chosen = decision.runnable.at(who % decision.runnable.len());
        if decision.yielding && decision.current == Some(chosen) {
            return turn(decision.runnable.after(chosen).unwrap_or(chosen));
        }
        turn(chosen)
    }

    fn pick(&mut self, waiters: &[ThreadId]) -> Result<usize, Divergence> {
        match self.take() {
            Some(number) => Ok(usize::from(number) % waiters.len()),
            None => self.after.pick(waiters),
        }
    }

    fn older(&mut self, stores: u16) -> Result<u16, Divergence> {
        Ok(self.take().map_or_else(|| self.stores_after.draw(stores), |number| number % stores))
    }

    fn inject(&mut self, options: &[Injection]) -> Result<Option<Injection>, Divergence> {
        let Some(number) = self.take() else { return self.after.inject(options) };
        // First whether, in the bits that tell who; then how.
        let mut parts = [u64::from(number & WHO), u64::from(number >> WHO_BITS)].into_iter();
        Ok(inject_at_random(options, |bound| parts.next().unwrap_or(0) % bound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_says_who_and_how_long() {
        for (who, points) in [(0, 1), (31, 1), (3, 17), (31, LONGEST_TURN)] {
            assert_eq!(parts(number(who, points)), (who, points));
        }
        assert_eq!(parts(number(0, u16::MAX)), (0, LONGEST_TURN));
    }
}
