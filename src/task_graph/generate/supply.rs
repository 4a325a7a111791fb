//! The second phase of generation: objects that tasks wait for, and enough supply for every wait.
//!
//! Objects are planned from the highest rank down. [`WAIT`] marks accumulate, so that a step that is sure
//! and carries no [`WAIT`] taint may supply the object being planned (see the parent module).

use super::decisions::Decisions;
use super::draft::{Draft, Position, RECEIVE, SEND, WAIT};
use crate::task_graph::{EventReset, Operation};

/// Objects of one task graph besides locks: at most.
const MAX_OBJECTS: u32 = 64;
/// Waits for one semaphore, manual event or latch: at most.
const MAX_WAITS: u32 = 3;
/// Arrivals that open a latch: at most.
const MAX_ARRIVALS: u32 = 4;
/// Participants and rounds of a barrier: at most.
const MAX_PARTICIPANTS: u32 = 4;
const MAX_ROUNDS: usize = 3;
/// Capacity of a channel, and sends and receives on it: at most.
const MAX_CAPACITY: u32 = 3;
const MAX_SENDS: u32 = 5;
/// How often a place that would leave no supplier is drawn again.
const ATTEMPTS: u32 = 4;
/// The first value sent; every send of a task graph has its own, so that a loss or a duplicate shows.
const FIRST_VALUE: i64 = 1001;

/// Draws the objects and fills holes with the operations on them.
pub(super) fn fill(source: &mut impl Decisions, draft: &mut Draft) {
    let tasks = draft.tasks.len() as u32;
    let objects = source.below((2 + tasks / 2).min(MAX_OBJECTS));
    let mut supply = Supply { holes: draft.holes(), source, draft, next_value: FIRST_VALUE };
    for _ in 0..objects {
        match supply.source.weighted(&[3, 2, 2, 2, 2, 4]) {
            0 => supply.semaphore(),
            1 => supply.manual_event(),
            2 => supply.auto_event(),
            3 => supply.latch(),
            4 => supply.barrier(),
            _ => supply.channel(),
        }
        supply.draft.settle_marks();
    }
}

struct Supply<'a, D> {
    source: &'a mut D,
    draft: &'a mut Draft,
    /// The holes that are left, in the order of tasks and steps.
    holes: Vec<Position>,
    next_value: i64,
}

impl<D: Decisions> Supply<'_, D> {
    fn semaphore(&mut self) {
        let id = self.draft.objects.semaphores.len() as u32;
        let demand = self.waits(&Operation::Acquire(id), MAX_WAITS);
        let permits = self.source.below(2).min(demand);
        let extra = u32::from(self.source.chance(1, 4));
        self.draft.objects.semaphores.push(permits);
        for _ in permits..demand + extra {
            self.supply(Operation::Release(id));
        }
    }

    fn manual_event(&mut self) {
        let id = self.event(EventReset::Manual);
        if self.waits(&Operation::WaitEvent(id), MAX_WAITS) > 0 {
            self.supply(Operation::SetEvent(id));
        }
        if self.source.chance(1, 2) {
            self.reset_and_set(id);
        }
    }

    fn auto_event(&mut self) {
        let id = self.event(EventReset::Auto);
        // One waiter: two could need two sets that come together and count as one.
        if self.waits(&Operation::WaitEvent(id), 1) > 0 {
            self.supply(Operation::SetEvent(id));
        }
        if self.source.chance(1, 3) {
            self.reset_and_set(id);
        }
    }

    fn event(&mut self, reset: EventReset) -> u32 {
        self.draft.objects.events.push(reset);
        self.draft.objects.events.len() as u32 - 1
    }

    /// A reset, and after it in the same task a set that nothing can keep from happening once the reset
    /// did: so the last of all sets and resets is always a set.
    fn reset_and_set(&mut self, id: u32) {
        let pair = (0..self.holes.len().saturating_sub(1)).find(|&index| {
            let (first, second) = (self.holes[index], self.holes[index + 1]);
            first.task == second.task && self.supplies(second)
        });
        if let Some(index) = pair {
            let (first, second) = (self.holes[index], self.holes[index + 1]);
            self.draft.at(first).operation = Some(Operation::ResetEvent(id));
            self.draft.at(second).operation = Some(Operation::SetEvent(id));
            self.holes.drain(index..index + 2);
        }
    }

    fn latch(&mut self) {
        let id = self.draft.objects.latches.len() as u32;
        let most = self.source.between(1, MAX_ARRIVALS);
        self.waits(&Operation::LatchWait(id), MAX_WAITS);
        let mut arrivals = 1;
        // One arrival before all else is as good as many.
        while self.supply(Operation::LatchArrive(id)) && arrivals < most {
            arrivals += 1;
        }
        self.draft.objects.latches.push(arrivals);
    }

    /// Each phase of a barrier is an object of its own, the later the higher its rank. The participants
    /// are drawn one by one; one that would come after another's wait is not taken.
    fn barrier(&mut self) {
        let id = self.draft.objects.barriers.len() as u32;
        let rounds = self.source.between(1, MAX_ROUNDS as u32) as usize;
        let most = self.source.between(1, MAX_PARTICIPANTS);
        let mut participants: Vec<Vec<Position>> = vec![];
        for _ in 0..most * ATTEMPTS {
            if participants.len() as u32 == most {
                break;
            }
            let Some(place) = self.any_hole(|_| true) else { break };
            let task = self.holes[place].task;
            // The holes of one task are neighbours.
            let own = self.holes.iter().copied().filter(|hole| hole.task == task);
            let places: Vec<Position> = own.take(2 * rounds).collect();
            let new = participants.iter().all(|other| other[0].task != task);
            if new && places.len() == 2 * rounds {
                participants.push(places);
                if !self.phases_supply(&participants) {
                    participants.pop();
                }
            }
        }
        for places in &participants {
            for pair in places.chunks(2) {
                self.draft.at(pair[0]).operation = Some(Operation::BarrierArrive(id));
                let wait = self.draft.at(pair[1]);
                wait.operation = Some(Operation::BarrierWait(id));
                wait.marks = WAIT;
            }
            self.holes.retain(|hole| !places.contains(hole));
        }
        if !participants.is_empty() {
            self.draft.objects.barriers.push(participants.len() as u32);
            self.draft.spread_taint();
        }
    }

    /// Whether every arrival stands where it may supply its phase.
    fn phases_supply(&mut self, participants: &[Vec<Position>]) -> bool {
        let rounds = participants[0].len() / 2;
        let mut right = true;
        for round in (0..rounds).rev() {
            for places in participants {
                let wait = places[2 * round + 1];
                right &= self.draft.at(wait).may_wait;
                self.draft.at(wait).marks = WAIT;
            }
            self.draft.spread_taint();
            right &= participants.iter().all(|places| self.supplies(places[2 * round]));
        }
        for places in participants {
            for &place in places {
                self.draft.at(place).marks = 0;
            }
        }
        self.draft.spread_taint();
        right
    }

    fn channel(&mut self) {
        let id = self.draft.objects.channels.len() as u32;
        let capacity = self.source.between(1, MAX_CAPACITY);
        self.draft.objects.channels.push(capacity);
        match self.source.weighted(&[3, 4, 2]) {
            0 => self.buffered_channel(id, capacity),
            1 => self.flowing_channel(id, capacity),
            _ => self.closing_channel(id),
        }
    }

    /// No more sends than fit, so that they never wait; the receives do.
    fn buffered_channel(&mut self, id: u32, capacity: u32) {
        let receives = self.waits(&Operation::Receive(id), capacity);
        for _ in 0..receives {
            let send = self.send(id);
            self.supply(send);
        }
    }

    /// Senders and receivers that may wait for one another. All are sure and untainted, no send comes after
    /// a receive and no receive after a send. If receivers wait for ever, the channel is empty, and as no
    /// more is received than sent, a send is missing; what comes before it on this channel are sends only,
    /// which an empty channel lets go on. If senders wait for ever, the channel is full, and as no more is
    /// sent than received and held, a receive is missing; before it come only receives, which a full
    /// channel lets go on.
    fn flowing_channel(&mut self, id: u32, capacity: u32) {
        let count = self.source.between(1, MAX_SENDS);
        let mut sends = 0;
        let mut receives = 0;
        for _ in 0..count {
            let send = self.send(id);
            sends += u32::from(self.one_way(&send, SEND, RECEIVE));
            receives += u32::from(self.one_way(&Operation::Receive(id), RECEIVE, SEND));
        }
        // What could not be placed is missing; a close lets those go on who would wait for it.
        if receives > sends || sends > receives + capacity || self.source.chance(1, 4) {
            self.close(id);
        }
    }

    /// Sends and receives anywhere, and a close that lets all go on.
    fn closing_channel(&mut self, id: u32) {
        for _ in 0..self.source.between(1, MAX_SENDS) {
            let operation = if self.source.chance(1, 2) { self.send(id) } else { Operation::Receive(id) };
            self.wait(&operation);
        }
        self.close(id);
    }

    fn close(&mut self, id: u32) {
        // Every send and receive on the channel may wait for the close.
        self.draft.settle_marks();
        self.supply(Operation::Close(id));
    }

    fn send(&mut self, id: u32) -> Operation {
        self.next_value += 1;
        Operation::Send(id, self.next_value - 1)
    }

    /// Places an operation marked `own` at a hole that may supply and is not tainted by `other`, nor taints
    /// what is marked so.
    fn one_way(&mut self, operation: &Operation, own: u8, other: u8) -> bool {
        for _ in 0..ATTEMPTS {
            let found = self.any_hole(|step| step.may_wait && step.sure && step.taint & (WAIT | other) == 0);
            let Some(place) = found else { return false };
            let position = self.holes[place];
            self.draft.at(position).marks = own;
            self.draft.spread_taint();
            if self.apart() {
                self.draft.at(position).operation = Some(operation.clone());
                self.holes.remove(place);
                return true;
            }
            self.draft.at(position).marks = 0;
            self.draft.spread_taint();
        }
        false
    }

    /// Whether no send comes after a receive and no receive after a send.
    fn apart(&self) -> bool {
        let steps = self.draft.tasks.iter().flat_map(|task| &task.steps);
        steps.into_iter().all(|step| match step.marks & (SEND | RECEIVE) {
            SEND => step.taint & RECEIVE == 0,
            RECEIVE => step.taint & SEND == 0,
            _ => true,
        })
    }

    /// Places one to `most` waiting operations; says how many.
    fn waits(&mut self, operation: &Operation, most: u32) -> u32 {
        let count = self.source.between(1, most);
        (0..count).map(|_| u32::from(self.wait(operation))).sum()
    }

    /// Places a waiting operation, if it can where it leaves a hole to supply it; false if none waits.
    fn wait(&mut self, operation: &Operation) -> bool {
        for attempt in 1..=ATTEMPTS {
            let Some(place) = self.any_hole(|step| step.may_wait) else { return false };
            let position = self.holes[place];
            self.draft.at(position).marks = WAIT;
            self.draft.spread_taint();
            let supplied = self.holes.iter().any(|&hole| hole != position && self.supplies(hole));
            if supplied || attempt == ATTEMPTS {
                self.draft.at(position).operation = Some(operation.clone());
                self.holes.remove(place);
                return true;
            }
            self.draft.at(position).marks = 0;
        }
        false
    }

    /// Places an operation where it is sure and untainted: in a hole, or else before everything. Whether it
    /// was in a hole.
    fn supply(&mut self, operation: Operation) -> bool {
        match self.any_hole(|step| step.sure && step.taint & WAIT == 0) {
            Some(place) => {
                let position = self.holes.remove(place);
                self.draft.at(position).operation = Some(operation);
                true
            }
            None => {
                self.draft.prelude.push(operation);
                false
            }
        }
    }

    fn supplies(&self, position: Position) -> bool {
        let step = &self.draft.tasks[position.task].steps[position.step];
        step.sure && step.taint & WAIT == 0
    }

    /// Draws a hole among those that fit: its place in `holes`.
    fn any_hole(&mut self, fits: impl Fn(&super::draft::Step) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.holes.len())
            .filter(|&place| fits(&self.draft.tasks[self.holes[place].task].steps[self.holes[place].step]))
            .collect();
        if fitting.is_empty() {
            return None;
        }
        Some(fitting[self.source.below(fitting.len() as u32) as usize])
    }
}
