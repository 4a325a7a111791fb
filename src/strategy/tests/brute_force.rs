//! A strategy that the others are compared with.

use crate::model::execution::ThreadId;
use crate::model::schedule::Injection;
use crate::strategy::{Decision, Divergence, Manner, Strategy, Turn};

/// Every choice in turn, without any reduction.
#[derive(Default)]
pub struct BruteForce {
    /// The choice taken, and of how many.
    path: Vec<(usize, usize)>,
    depth: usize,
    begun: bool,
}

impl BruteForce {
    fn next(&mut self, count: usize) -> usize {
        if self.depth == self.path.len() {
            self.path.push((0, count));
        }
        let (taken, known) = self.path[self.depth];
        assert_eq!(count, known, "the toy program depends on choices alone");
        self.depth += 1;
        taken
    }
}

impl Strategy for BruteForce {
    fn begin(&mut self, _seed: u64, _expected_points: u64) {
        if std::mem::replace(&mut self.begun, true) {
            while let Some((taken, count)) = self.path.pop() {
                if taken + 1 < count {
                    self.path.push((taken + 1, count));
                    break;
                }
            }
        }
        self.depth = 0;
    }

    fn manner(&self) -> Manner {
        Manner { watches: true, lets_stay: false, ..Manner::default() }
    }

    fn search_ended(&mut self) -> bool {
        self.begun && self.path.iter().all(|(taken, count)| taken + 1 == *count)
    }

    fn choose(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence> {
        let runnable = decision.runnable.len();
        let taken = self.next(runnable + decision.sleeping.len());
        let sleeper = || decision.sleeping[taken - runnable].thread;
        let thread = if taken < runnable { decision.runnable.at(taken) } else { sleeper() };
        Ok(Turn { thread, points: 1 })
    }

    fn pick(&mut self, waiters: &[ThreadId]) -> Result<usize, Divergence> {
        Ok(self.next(waiters.len()))
    }

    fn inject(&mut self, options: &[Injection]) -> Result<Option<Injection>, Divergence> {
        let taken = self.next(options.len() + 1);
        Ok(taken.checked_sub(1).map(|taken| options[taken]))
    }
}
