//! Replay: the recorded choices, checked at every step.

use super::{Decision, Divergence, Strategy, Turn};
use crate::model::execution::ThreadId;
use crate::model::schedule::{Choice, Injection, Schedule};

/// Follows a schedule choice by choice. Where the execution does anything else than the recorded one did,
/// as far as scheduling points tell, it diverges.
pub struct Replay {
    schedule: Schedule,
    /// The next choice to make.
    next: usize,
    /// The point at which the run under way ends.
    until: u64,
    /// A waiter was woken, or a choice of an operation was made, at `until`; the run of the thread that did so comes next.
    woke: bool,
    /// What the running thread is about to do is an operation that has a choice of its own.
    chooses: bool,
}

impl Replay {
    #[must_use]
    pub fn new(schedule: Schedule) -> Self {
        Self { schedule, next: 0, until: 0, woke: false, chooses: false }
    }

    fn choice(&self) -> Option<Choice> {
        self.choice_at(self.next)
    }

    fn choice_at(&self, index: usize) -> Option<Choice> {
        self.schedule.choices.get(index).copied()
    }

    fn is_past_the_cut(&self) -> bool {
        self.schedule.cut && self.next == self.schedule.choices.len()
    }

    /// Checks that the run under way, if any, went exactly as recorded.
    fn leave_run(&self, points: u64, digest: u16) -> Result<(), Divergence> {
        let last = self.next.checked_sub(1).map(|index| self.schedule.choices[index]);
        let Some(Choice::Run { thread, points: recorded, digest: expected }) = last else {
            return Ok(());
        };
        let complaint = match points.cmp(&self.until) {
            std::cmp::Ordering::Less => {
                format!("thread {thread} stopped before the {recorded} scheduling points recorded")
            }
            std::cmp::Ordering::Greater => {
                format!("thread {thread} went on after the {recorded} scheduling points recorded")
            }
            std::cmp::Ordering::Equal if digest != expected => {
                format!("thread {thread} did other operations than recorded")
            }
            std::cmp::Ordering::Equal => return Ok(()),
        };
        Err(Divergence(complaint))
    }
}

impl Strategy for Replay {
    fn begin(&mut self, _seed: u64, _expected_points: u64) {
        self.next = 0;
        self.until = 0;
        self.woke = false;
        self.chooses = false;
    }

    fn choose(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence> {
        let turn = self.turn(decision)?;
        // A run that ends just before a choice of an operation does so at the operation's point.
        self.chooses = decision.points == self.until && self.choice().is_some_and(Choice::is_at_point);
        Ok(turn)
    }

    fn pick(&mut self, waiters: &[ThreadId]) -> Result<usize, Divergence> {
        if self.is_past_the_cut() {
            return Ok(0);
        }
        if self.woke {
            // Two waiters in a row: between them the waking thread's run has no points.
            self.next += 1;
        }
        let place = match self.choice() {
            Some(Choice::Wake { thread }) => waiters.iter().position(|&waiter| waiter == thread),
            _ => None,
        };
        let place = place.ok_or_else(|| Divergence("another waiter was woken here".to_owned()))?;
        self.next += 1;
        self.woke = true;
        Ok(place)
    }

    fn inject(&mut self, options: &[Injection]) -> Result<Option<Injection>, Divergence> {
        let Some(Choice::Inject { injection }) = self.choice_at_point() else { return Ok(None) };
        if !options.contains(&injection) {
            return Err(Divergence(format!(
                "`{}` was injected here, which is no way for this call to fail",
                injection.word()
            )));
        }
        self.leave_point();
        Ok(Some(injection))
    }

    fn older(&mut self, stores: u16) -> Result<u16, Divergence> {
        let Some(Choice::Older { by }) = self.choice_at_point() else { return Ok(0) };
        if by >= stores {
            return Err(Divergence(format!("a store older by {by} was read here, of {stores} that there are")));
        }
        self.leave_point();
        Ok(by)
    }

    fn end(&mut self, points: u64, digest: u16) -> Result<(), Divergence> {
        if self.woke && self.next + 1 == self.schedule.choices.len() {
            return Ok(());
        }
        if self.is_past_the_cut() {
            return Ok(());
        }
        if self.next < self.schedule.choices.len() {
            return Err(Divergence("the execution ends here, but the schedule goes on".to_owned()));
        }
        self.leave_run(points, digest)
    }
}

impl Replay {
    /// Where the next choice of the operation is, if there is one; between two of them the thread's run has no points.
    fn next_at_point(&self) -> usize {
        self.next + usize::from(self.woke)
    }

    fn choice_at_point(&self) -> Option<Choice> {
        self.choice_at(self.next_at_point()).filter(|_| self.chooses)
    }

    /// The choice of the operation was made; another one of it comes next, or the run of its thread.
    fn leave_point(&mut self) {
        self.next = self.next_at_point() + 1;
        self.woke = true;
        let is_empty = matches!(self.choice(), Some(Choice::Run { points: 0, .. }));
        self.chooses = is_empty && self.choice_at(self.next + 1).is_some_and(Choice::is_at_point);
    }

    fn turn(&mut self, decision: &Decision<'_>) -> Result<Turn, Divergence> {
        if self.woke {
            self.woke = false;
            if let Some(Choice::Run { points, .. }) = self.choice() {
                self.until += u64::from(points);
                self.next += 1;
            }
        }
        if let Some(thread) = decision.current
            && decision.points < self.until
        {
            return Ok(Turn { thread, points: (self.until - decision.points) as u32 });
        }
        if self.is_past_the_cut() {
            return Ok(after_the_cut(decision));
        }
        self.leave_run(decision.points, decision.digest)?;
        match self.choice() {
            None => Err(Divergence("the schedule ends here, but the execution goes on".to_owned())),
            Some(choice @ (Choice::Wake { .. } | Choice::Inject { .. } | Choice::Older { .. })) => match decision
                .current
            {
                // It happens before the next point.
                Some(thread) => Ok(Turn { thread, points: 1 }),
                None if matches!(choice, Choice::Wake { .. }) => Err(Divergence("a waiter was woken here".to_owned())),
                None if matches!(choice, Choice::Older { .. }) => {
                    Err(Divergence("an older store was read here".to_owned()))
                }
                None => Err(Divergence("a file call failed here".to_owned())),
            },
            Some(Choice::Run { thread, points, .. }) => {
                let mut sleepers = decision.sleeping.iter();
                if !decision.runnable.contains(thread) && !sleepers.any(|sleeper| sleeper.thread == thread) {
                    return Err(Divergence(format!("thread {thread} cannot run here")));
                }
                self.until += u64::from(points);
                self.next += 1;
                Ok(Turn { thread, points: points.max(1) }) // 0 where a cut schedule ends.
            }
        }
    }
}

/// Where a recorded execution crashed and this one goes on (another sanitizer, a mended bug): without
/// switching as long as that is possible, so that every replay goes on the same way.
fn after_the_cut(decision: &Decision<'_>) -> Turn {
    let staying = decision.current.filter(|_| !decision.yielding);
    let next_runnable = || decision.runnable.after(decision.current.unwrap_or_default());
    let earliest = || decision.sleeping.iter().min_by_key(|sleeper| sleeper.deadline).map(|sleeper| sleeper.thread);
    let thread = staying.or_else(next_runnable).or_else(earliest).expect("the caller gives at least one thread");
    Turn { thread, points: 1_000 }
}
