//! Several strategies in turns, since no single one is best at every program.
//!
//! That portfolios of different searches beat each of them is common experience in solvers (Huberman, Lukose, Hogg: "An
//! Economics Approach to Hard Computational Problems", Science 275, 1997). Here which one an execution gets is drawn
//! from its seed, and each learns from its own executions alone.

use super::{Decision, Dice, Divergence, Manner, Pct, Pos, Random, Rff, Strategy, Surw, Turn};
use crate::model::execution::ThreadId;
use crate::model::op::Op;
use crate::model::schedule::Injection;

/// Keeps the draw apart from what the strategy draws from the same seed.
const DRAW: u64 = 0x706f_7274_666f_6c69;

/// Its members with their shares: feedback gets the largest, since what it finds others may never.
pub struct Portfolio {
    members: [(u64, Box<dyn Strategy + Send>); 5],
    /// Whose execution this is.
    member: usize,
    /// Scheduling points of the last execution.
    length: Option<u64>,
}

impl Portfolio {
    #[must_use]
    pub fn new() -> Self {
        Self {
            members: [
                (2, Box::new(Random::new())),
                (2, Box::new(Pct::new())),
                (3, Box::new(Pos::new())),
                (3, Box::new(Surw::new())),
                (6, Box::new(Rff::new())),
            ],
            member: 0,
            length: None,
        }
    }

    fn member(&mut self) -> &mut (dyn Strategy + Send) {
        &mut *self.members[self.member].1
    }
}

impl Default for Portfolio {
    fn default() -> Self {
        Self::new()
    }
}

impl Strategy for Portfolio {
    fn forget(&mut self) {
        self.length = None;
        for (_, member) in &mut self.members {
            member.forget();
        }
    }

    fn begin(&mut self, seed: u64, expected_points: u64) {
        let shares = self.members.iter().map(|(share, _)| share).sum();
        let mut drawn = Dice::new(seed ^ DRAW).below(shares);
        let passes = |(share, _): &(u64, _)| {
            let here = drawn < *share;
            drawn = drawn.saturating_sub(*share);
            here
        };
        self.member = self.members.iter().position(passes).unwrap_or_default();
        let expected_points = self.length.unwrap_or(expected_points);
        self.member().begin(seed, expected_points);
    }

    fn manner(&self) -> Manner {
        self.members[self.member].1.manner()
    }

    fn made(&mut self, thread: ThreadId, made: &Op) {
        self.member().made(thread, made);
    }

    fn alone(&mut self) {
        self.member().alone();
    }

    fn choose(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence> {
        self.member().choose(decision)
    }

    fn pick(&mut self, waiters: &[ThreadId]) -> Result<usize, Divergence> {
        self.member().pick(waiters)
    }

    fn inject(&mut self, options: &[Injection]) -> Result<Option<Injection>, Divergence> {
        self.member().inject(options)
    }

    fn older(&mut self, stores: u16) -> Result<u16, Divergence> {
        self.member().older(stores)
    }

    fn end(&mut self, points: u64, digest: u16) -> Result<(), Divergence> {
        self.length = Some(points);
        self.member().end(points, digest)
    }
}
