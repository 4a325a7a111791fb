//! From races to what is to be tried.

use std::sync::Arc;

use super::footprint::{Footprint, Item};
use super::order::{Event, Order, touched};
use super::tree::{self, Branch, Sequence, Step, Way};
use super::{Exhaustive, Node};

impl Exhaustive {
    /// Enters what races of the execution that has just ended call for into the trees of its places.
    pub(super) fn plan_races(&mut self) {
        let mut events = std::mem::take(&mut self.record.events);
        let items = std::mem::take(&mut self.record.items);
        self.order.look(&mut events, &items, self.record.kept);
        let races = std::mem::take(&mut self.order.races);
        let mut steps = Vec::new();
        for &(first, last) in &races {
            self.order.without(first, last, &events, &mut steps);
            self.plan_sequence(first as usize, &steps, &events, &items);
        }
        self.order.races = races;
        if self.record.stopped && !self.redundant {
            self.plan_barred(&events, &items);
        }
        (self.record.events, self.record.items) = (events, items);
        self.plan_time_outs();
        if self.record.stopped && !self.redundant {
            self.plan_last_chances();
        }
    }

    /// At the place of that step, these are to be tried, of which the last did not come as soon.
    fn plan_sequence(&mut self, place: usize, steps: &[u32], events: &[Event], items: &[Item]) {
        let (before, after) = self.path.split_at_mut(place + 1);
        let node = &mut before[place];
        let sequence = Planned {
            steps: steps.to_vec(),
            last: steps.last().copied(),
            known: node.known,
            events,
            items,
            order: &self.order,
            after,
            place,
        };
        if !node.enabled.contains(&events[steps[0] as usize].way) {
            self.strayed += 1;
            return;
        }
        node.plan(sequence);
    }

    /// A wait that was ended might have been over before, by its time-out.
    fn plan_time_outs(&mut self) {
        for (step, thread) in std::mem::take(&mut self.record.woken) {
            if let Some(node) = self.path.get_mut(step as usize) {
                node.plan_way(Way { thread, timed_out: true });
            }
        }
    }

    /// What could have been done before the step that ended the program.
    fn plan_last_chances(&mut self) {
        let Some(last) = self.path.len().checked_sub(1) else { return };
        let own = self.record.way(last);
        let node = &mut self.path[last];
        for way in node.enabled.clone() {
            if way != own {
                node.plan_way(way);
            }
        }
    }

    /// Who was kept from taking a lock until the program was ended, might have had it before.
    fn plan_barred(&mut self, events: &[Event], items: &[Item]) {
        let end = events.len() as u32;
        for (thread, lock, after) in self.record.barred() {
            let Some(first) = self.order.taker_before(usize::from(thread), after, lock, events) else { continue };
            let mut steps = Vec::new();
            self.order.without(first, end, events, &mut steps);
            steps.pop();
            let way = Way { thread, timed_out: false };
            let place = first as usize;
            let (before, after) = self.path.split_at_mut(place + 1);
            let node = &mut before[place];
            if steps.is_empty() {
                node.plan_way(way);
                continue;
            }
            let sequence =
                Planned { steps, last: None, known: node.known, events, items, order: &self.order, after, place };
            let alone = Branch {
                step: Step { way, picks: Vec::new(), footprint: Arc::new(Footprint::everything()) },
                rest: Vec::new(),
            };
            node.tree.extend(sequence.into_branch_with(Some(alone)));
        }
    }
}

impl Node {
    /// That sequence is to be tried, unless somebody who sleeps here has seen to it.
    fn plan(&mut self, sequence: Planned<'_>) {
        let is_seen_to =
            self.asleep.iter().any(|sleeper| sequence.clone().could_begin(sleeper.way, &[], &sleeper.footprint));
        if !is_seen_to {
            tree::insert(&mut self.tree, sequence);
        }
    }

    /// That way to go on is to be tried, if there was one and it is not yet.
    fn plan_way(&mut self, way: Way) {
        let is_known = self.asleep.iter().any(|sleeper| sleeper.way == way)
            || self.tree.iter().any(|branch| branch.step.way == way);
        if self.enabled.contains(&way) && !is_known {
            let footprint = Arc::new(Footprint::everything());
            self.tree.push(Branch { step: Step { way, picks: Vec::new(), footprint }, rest: Vec::new() });
        }
    }
}

/// Steps of the execution that are to be made again, without one that they do not depend on.
#[derive(Clone)]
struct Planned<'a> {
    steps: Vec<u32>,
    /// It is made earlier than it was, and may touch more by that.
    last: Option<u32>,
    known: u32,
    events: &'a [Event],
    items: &'a [Item],
    order: &'a Order,
    /// The places after that one.
    after: &'a [Node],
    place: usize,
}

impl Planned<'_> {
    fn picks(&self, step: u32) -> Vec<u8> {
        if Some(step) == self.last {
            return Vec::new();
        }
        let node = &self.after[step as usize - self.place - 1];
        node.picks.iter().map(|pick| pick.taken).collect()
    }

    fn depends(&self, step: u32, earlier: u32) -> bool {
        let touched = |step: u32| touched(&self.events[step as usize], self.items);
        self.order.is_before(earlier, step, self.events)
            || Some(step) == self.last && touched(step).may_conflict_with(&touched(earlier))
    }

    fn could_begin(mut self, way: Way, picks: &[u8], footprint: &Footprint) -> bool {
        self.take(way, picks, footprint)
    }

    fn take(&mut self, way: Way, picks: &[u8], footprint: &Footprint) -> bool {
        let of_thread = |&step: &u32| self.events[step as usize].way.thread == way.thread;
        let Some(place) = self.steps.iter().position(of_thread) else {
            return self.steps.iter().all(|&step| {
                let touched = touched(&self.events[step as usize], self.items);
                let conflicts = match Some(step) == self.last {
                    true => footprint.may_conflict_with(touched),
                    false => footprint.conflicts_with(touched),
                };
                !conflicts
            });
        };
        let step = self.steps[place];
        let own_picks = self.picks(step);
        let fits = picks.is_empty() || own_picks.is_empty() || own_picks == picks;
        if self.events[step as usize].way != way || !fits {
            return false;
        }
        if self.steps[..place].iter().any(|&earlier| self.depends(step, earlier)) {
            return false;
        }
        self.steps.remove(place);
        true
    }

    fn into_branch_with(self, end: Option<Branch>) -> Option<Branch> {
        let mut branch = end;
        for &number in self.steps.iter().rev() {
            let touched = touched(&self.events[number as usize], self.items);
            let footprint = match Some(number) == self.last {
                true => Footprint::at_most(touched, self.known),
                false => Footprint::new(touched, self.known),
            };
            let way = self.events[number as usize].way;
            let step = Step { way, picks: self.picks(number), footprint: Arc::new(footprint) };
            branch = Some(Branch { step, rest: branch.into_iter().collect() });
        }
        branch
    }
}

impl Sequence for Planned<'_> {
    fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    fn begins_with(&mut self, step: &Step) -> bool {
        self.take(step.way, &step.picks, &step.footprint)
    }

    fn into_branch(self) -> Option<Branch> {
        self.into_branch_with(None)
    }
}
