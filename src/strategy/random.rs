//! A random walk: at random scheduling points, any other thread.

use super::{Decision, Dice, Divergence, Strategy, Turn};
use crate::model::execution::ThreadId;
use crate::model::schedule::Injection;
use crate::model::settings::Chance;

/// Each execution draws how often it switches: some bugs need many switches close together, others one switch after a
/// long quiet run. Turns last at most this part of the expected points, as a power of 2: a half to a 32nd.
const LONGEST_SCALE: u64 = 1;
const TURN_SCALES: u64 = 5;
/// In a short execution they last up to so many points all the same.
const SHORTEST_TURNS: u64 = 4;
/// One decision in so many considers letting a time-out happen although somebody can run.
const TIME_OUT_ODDS: u64 = 16;

/// Switches to a uniformly random thread after turns of random length.
pub struct Random {
    dice: Dice,
    /// The chance that a turn ends at a point, if it is the same in every execution.
    switching: Option<Chance>,
    /// Otherwise turns last 1 to this many points, uniformly.
    longest_turn: u64,
    /// The point at which the current turn ends.
    end: u64,
}

impl Random {
    #[must_use]
    pub fn new() -> Self {
        Self { dice: Dice::new(0), switching: None, longest_turn: 1, end: 0 }
    }

    /// Switches at each point with the same chance.
    #[must_use]
    pub fn switching_at(chance: Chance) -> Self {
        Self { switching: Some(chance), ..Self::new() }
    }

    fn turn(&mut self) -> u32 {
        let Some(chance) = self.switching else { return 1 + self.dice.below(self.longest_turn) as u32 };
        if chance.millionths() == Chance::ONE {
            return 1;
        }
        // The length of a run of failures is distributed geometrically; this is its quantile at a random height.
        let height = (self.dice.any() >> 11) as f64 / (1_u64 << 53) as f64;
        let stay = 1.0 - f64::from(chance.millionths()) / f64::from(Chance::ONE);
        1 + ((1.0 - height).ln() / stay.ln()) as u32
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}

impl Strategy for Random {
    fn begin(&mut self, seed: u64, expected_points: u64) {
        self.dice = Dice::new(seed);
        let scale = LONGEST_SCALE + self.dice.below(TURN_SCALES);
        self.longest_turn = (expected_points >> scale).max(SHORTEST_TURNS);
        self.end = 0;
    }

    fn choose(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence> {
        // Asked early, since somebody new can run: the chance is one for each point, not for each question.
        if self.switching.is_some()
            && !decision.yielding
            && let Some(thread) = decision.current
            && decision.points < self.end
        {
            return Ok(Turn { thread, points: (self.end - decision.points) as u32 });
        }
        let points = self.turn();
        self.end = decision.points + u64::from(points);
        let time_out =
            !decision.sleeping.is_empty() && (decision.runnable.is_empty() || self.dice.one_in(TIME_OUT_ODDS));
        if time_out {
            let index = self.dice.index(decision.sleeping.len());
            return Ok(Turn { thread: decision.sleeping[index].thread, points });
        }
        let others = decision.runnable;
        if self.switching.is_some()
            && let Some(current) = decision.current
            && others.len() > 1
        {
            // Any but the current one, whose place the last one takes.
            let drawn = others.at(self.dice.index(others.len() - 1));
            let thread = if drawn == current { others.at(others.len() - 1) } else { drawn };
            return Ok(Turn { thread, points });
        }
        let mut thread = others.at(self.dice.index(others.len()));
        if decision.yielding && decision.current == Some(thread) {
            thread = others.after(thread).unwrap_or(thread);
        }
        Ok(Turn { thread, points })
    }

    fn pick(&mut self, waiters: &[ThreadId]) -> Result<usize, Divergence> {
        Ok(self.dice.index(waiters.len()))
    }

    fn inject(&mut self, options: &[Injection]) -> Result<Option<Injection>, Divergence> {
        Ok(self.dice.injection(options))
    }
}
