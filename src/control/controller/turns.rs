//! Turns: who runs next and for how many scheduling points, by the strategy, unless fairness or the step budget says
//! otherwise.

use super::{Budget, Controller, Next};
use crate::control::fairness::{LONG, Look};
use crate::control::sanitizer;
use crate::model::execution::{Ending, ThreadId};
use crate::model::op::{Op, OpKind};
use crate::strategy::{Decision, Divergence, Sleeper, Turn, Use};

/// Points before the end of the budget at which a thread is looked at that is alone.
const LAST: u64 = 4_096;
/// Points of a turn once everyone gets their share.
const FAIR_TURN: u32 = 64;
/// Once nobody sleeps for long, one in so many of these turns is that of whose time-out comes first.
const LATE_TURNS: u64 = 16;

impl Controller {
    /// At a point with more to it: who runs next; the running thread could go on, with this operation. It comes in
    /// registers, since to copy what was just written in parts stalls the processor.
    pub fn decide(&mut self, kind: OpKind, waits: bool, size: u32, object: usize, place: usize) -> Next {
        let pending = Op { kind, waits, size, object, place };
        if self.novelty.watches(self.trace.points()) {
            self.novelty.note(self.trace.points(), object, place);
        }
        if self.trace.points() < self.turn_end && !pending.kind.yields() {
            self.tell(self.current, &pending);
            return Next::Continue;
        }
        if self.ending.is_some() {
            return Next::Stop;
        }
        if self.trace.points() >= self.budget.points {
            self.left_out.cut += 1;
            let points = self.budget.points;
            return self.stop(if self.worked() { Ending::TooLong(points) } else { Ending::OutOfSteps(points) });
        }
        let current = self.current;
        if self.replaying {
            self.pending[usize::from(current)] = Op { kind, waits, size, object, place };
            return self.choose(Some(current), pending.kind.yields());
        }
        let staying = self.patience.is_staying();
        if self.alone.is_phase() && !staying {
            return self.go_on_alone(&pending);
        }
        let stays = staying && self.stays(&pending);
        if self.fairness.is_anyone_resting() {
            self.end_rests();
        } else if self.runnable.len() == 1 && self.sleeping.is_empty() {
            return self.go_on_alone(&pending);
        }
        self.alone_since = None;
        if stays {
            return self.stay(&pending);
        }
        self.pending[usize::from(current)] = Op { kind, waits, size, object, place };
        let look = self.fairness.look(current, &pending, self.single);
        if self.patience.is_left() && self.could_stay(&pending) && self.patience.grant(current, &pending) {
            return self.stay(&pending);
        }
        if staying && self.patience.hands_over() {
            return self.choose(Some(current), true);
        }
        match look {
            Look::Spins if self.runnable.len() > 1 || !self.sleeping.is_empty() => {
                self.left_out.set_aside += u64::from(!self.strategy.is_redundant());
                self.runnable.remove(current);
                self.fairness.rest(current, self.trace.points(), self.runnable.len());
                self.choose(None, true)
            }
            look if self.rest_of_turn > 0 && !pending.kind.yields() => {
                self.continue_turn(look);
                self.tell(current, &pending);
                Next::Continue
            }
            _ => self.choose(Some(current), pending.kind.yields()),
        }
    }

    /// Where the number of the running thread lies, for debuggers.
    pub fn place_of_current(&self) -> usize {
        &raw const self.current as usize
    }

    /// The running thread took or changed something at a point where it might have done nothing but look.
    #[inline]
    pub fn progress(&mut self) {
        self.fairness.progress(self.current);
    }

    /// Whether the running thread goes on in its loop without a question.
    fn stays(&mut self, pending: &Op) -> bool {
        let stays = self.patience.lasts(self.current, pending);
        if !stays {
            // Its rounds were allowed, so they tell nothing against it.
            self.fairness.progress(self.current);
        }
        stays
    }

    /// Whether the running thread waits for others, and nobody has to see to it that these go on.
    fn could_stay(&mut self, pending: &Op) -> bool {
        self.patience.has_come_back(self.current, pending) && self.points_asked() < self.budget.fair_after
    }

    /// The running thread goes on in its loop for a point.
    fn stay(&mut self, pending: &Op) -> Next {
        self.stayed += 1;
        self.set_turn(1);
        self.rest_of_turn = 0;
        self.single = true;
        self.tell(self.current, pending);
        Next::Continue
    }

    /// The only thread that can run goes on. While there is no other there is nothing to learn. Towards the end of the
    /// budget it is looked at, whether it only waits.
    #[inline]
    fn go_on_alone(&mut self, pending: &Op) -> Next {
        let points = self.trace.points();
        self.alone_since.get_or_insert(points);
        let unseen = self.budget.points.saturating_sub(points + LAST);
        if unseen == 0 {
            self.waits_alone = self.fairness.look(self.current, pending, true) == Look::Spins;
        }
        let most = u32::try_from(unseen).unwrap_or(u32::MAX).max(1);
        let watched = self.watched && !self.is_untold();
        self.set_turn(if watched { 1 } else { self.until_budget().min(most) });
        self.rest_of_turn = 0;
        self.single = false;
        self.tell(self.current, pending);
        Next::Continue
    }

    /// Whether nothing is wrong with an execution that used up its budget but that there was much to do, for one thread alone
    /// or for several.
    fn worked(&self) -> bool {
        self.novelty.is_at_work()
            || self.alone_since.is_some_and(|since| since <= self.budget.points / 2) && !self.waits_alone
    }

    /// The turn goes on, point by point as long as it is not clear whether the thread only waits.
    fn continue_turn(&mut self, look: Look) {
        self.single = look != Look::Works;
        let points = if self.single { 1 } else { self.rest_of_turn.min(LONG) };
        self.rest_of_turn -= points;
        self.set_turn(points);
    }

    /// The controller looks again at who runs after so many points.
    pub(super) fn set_turn(&mut self, points: u32) {
        self.turn_end = self.trace.points() + u64::from(points);
        let observed = self.observer.as_ref().is_some_and(|observer| observer.watches_points());
        let watched = self.logging || observed || self.novelty.watches(self.trace.points());
        self.look_at = if watched { 0 } else { self.turn_end };
    }

    /// Tells the observer, and a strategy that watches, what `thread` does now.
    #[inline]
    fn tell(&mut self, thread: ThreadId, made: &Op) {
        if let Some(observer) = &mut self.observer {
            observer.made(thread, made);
        }
        if self.watched && (made.kind.is_of_threads() || !self.is_untold()) {
            let _unwatched = self.unwatched();
            self.strategy.made(thread, made);
        }
    }

    /// Tells a strategy that wants to know it what the step of the running thread does.
    #[inline]
    pub fn report(&mut self, how: Use) {
        self.report_of(self.current, how);
    }

    #[inline]
    pub(super) fn report_of(&mut self, thread: ThreadId, how: Use) {
        if self.reports_uses {
            let _unwatched = self.unwatched();
            self.strategy.uses(thread, how);
        }
    }

    /// For as long as a strategy is asked that watches: what it remembers takes memory, of which TSan would make a race
    /// between fibers. The others remember nothing that grows.
    pub(super) fn unwatched(&self) -> Option<sanitizer::Unwatched> {
        self.watched.then(sanitizer::Unwatched::begin)
    }

    /// The strategy is asked at the next point.
    pub(super) fn ask_next(&mut self) {
        self.set_turn(1);
        self.rest_of_turn = 0;
    }

    /// Threads that were set aside come back if it is time, or if there is nobody else.
    #[inline]
    pub(super) fn end_rests(&mut self) {
        if self.fairness.left(self.trace.points()) == 0 || (self.runnable.is_empty() && self.sleeping.is_empty()) {
            while let Some(thread) = self.fairness.wake() {
                self.runnable.insert(thread);
            }
        }
    }

    pub(super) fn choose(&mut self, current: Option<ThreadId>, yielding: bool) -> Next {
        let turn = if !self.replaying && self.points_asked() >= self.budget.fair_after {
            self.left_out.fair += u64::from(self.fair_turns == 0 && !self.strategy.is_redundant());
            self.fair_turns += 1;
            self.fair_turn()
        } else {
            match self.ask(current, yielding) {
                Ok(turn) => turn,
                Err(divergence) => return self.diverged(divergence),
            }
        };
        self.begin_turn(turn);
        if let Some(sleeper) = self.sleeping.iter().find(|sleeper| sleeper.thread == turn.thread).copied() {
            self.time_out(sleeper);
            self.begin_turn(turn);
        }
        if self.watched || self.observer.is_some() {
            let made = self.pending[usize::from(turn.thread)];
            self.tell(turn.thread, &made);
        }
        if current == Some(turn.thread) {
            return Next::Continue;
        }
        self.trace.switch(turn.thread, current.is_some() && !yielding);
        self.current = turn.thread;
        if self.mail.is_carrier(turn.thread) {
            return self.arrive();
        }
        Next::Switch(turn.thread)
    }

    /// Somebody runs for so many points, unless that would be too many at a time.
    #[inline]
    fn begin_turn(&mut self, turn: Turn) {
        let points = if self.watched { 1 } else { turn.points.clamp(1, self.until_budget()) };
        let mut most = if self.replaying { u32::MAX } else { self.fairness.longest_turn(turn.thread) };
        if self.fairness.is_anyone_resting() {
            most = most.min(self.fairness.left(self.trace.points()).max(1) as u32);
        }
        let turn = points.min(most);
        self.set_turn(turn);
        self.rest_of_turn = points - turn;
        self.single = turn == 1;
    }

    pub(super) fn ask(&mut self, current: Option<ThreadId>, yielding: bool) -> Result<Turn, Divergence> {
        let _unwatched = self.unwatched();
        self.strategy.choose(&Decision {
            current,
            yielding,
            runnable: &self.runnable,
            pending: &self.pending,
            sleeping: &self.sleeping,
            now: self.now(),
            points: self.points_asked(),
            digest: self.trace.digest(),
        })
    }

    /// Round robin among those that can run and those whose time is out; where there are none, the time of whoever is next is
    /// out. If the execution can end at all, it does now.
    fn fair_turn(&self) -> Turn {
        let is_due = |sleeper: &&Sleeper| sleeper.deadline <= self.now();
        let after_current = |thread: &ThreadId| thread.wrapping_sub(self.current).wrapping_sub(1);
        let is_late = self.fair_turns.is_multiple_of(LATE_TURNS) && self.points_asked() >= self.budget.late_after();
        let ready = self.sleeping.iter().filter(is_due).map(|sleeper| sleeper.thread);
        let ready = ready.chain(self.runnable.after(self.current)).min_by_key(after_current);
        let asleep = self.sleeping.iter().filter(|sleeper| !is_due(sleeper)).min_by_key(|sleeper| sleeper.deadline);
        let asleep = asleep.map(|sleeper| sleeper.thread);
        let thread = if is_late { asleep.or(ready) } else { ready.or(asleep) };
        Turn { thread: thread.unwrap_or(self.current), points: FAIR_TURN }
    }

    fn until_budget(&self) -> u32 {
        let Budget { points: most, fair_after } = self.budget;
        let asked = self.points_asked();
        let left =
            if asked < fair_after { fair_after - asked } else { most.saturating_sub(self.trace.points()).max(1) };
        u32::try_from(left).unwrap_or(u32::MAX)
    }
}
