//! Which steps of an execution happen before which, and which race: they depend on each other, nothing in between orders
//! them, and the later one could have come first.

use super::footprint::{Item, Touched, index};
use super::tree::Way;

/// No step.
pub const NONE: u32 = u32::MAX;

/// A step of an execution.
#[derive(Clone, Debug)]
pub struct Event {
    pub way: Way,
    pub everything: bool,
    /// Where its items are.
    pub items: (u32, u32),
    /// The step that made its thread able to go on, or [`NONE`].
    pub after: u32,
    /// The name of the lock that it is made for once that is free, or [`NONE`].
    pub takes: u32,
    /// The name of the lock that it took, or [`NONE`].
    pub took: u32,
    /// It came when what it waits for had happened, never before.
    pub joins: bool,
    /// Nobody could go on, and it could not either: it was made for the thread to be seen to wait.
    pub stuck: bool,
    /// Its number among the steps of its thread, from 1 on.
    pub index: u32,
}

/// A step that conflicts with a later one.
struct Candidate {
    event: u32,
    /// The later one could have come first.
    reversible: bool,
    /// It took, or gave up, the lock that the later one is made for.
    of_lock: bool,
    /// Whether one of the two accesses is unseen, and then the number of the step of the earlier one's thread that has to come
    /// before the later one for that not to matter.
    unseen: Option<u32>,
}

/// What accessed some bytes and was not followed by a change of all of them.
#[derive(Clone, Copy)]
struct Access {
    event: u32,
    item: Item,
}

#[derive(Default)]
struct Cell {
    accesses: Vec<Access>,
    /// The last step that took this, as one takes a lock.
    taken: Option<u32>,
}

/// Looks at the steps of one execution after the other. Clocks of steps that the next one has in common with this one last.
pub struct Order {
    /// By step and thread, `width` for each step.
    clocks: Vec<u32>,
    width: usize,
    cells: [Vec<Cell>; 2],
    touched: Vec<u32>,
    /// By thread: its last step and how many there were.
    last: Vec<(u32, u32)>,
    last_of_all: Option<u32>,
    candidates: Vec<Candidate>,
    base: Vec<u32>,
    /// The pairs of steps that race.
    pub races: Vec<(u32, u32)>,
    /// How many accesses race that no scheduling point is at.
    pub unseen: u64,
}

impl Order {
    pub fn new() -> Self {
        Self {
            clocks: Vec::new(),
            width: 8,
            cells: [Vec::new(), Vec::new()],
            touched: Vec::new(),
            last: Vec::new(),
            last_of_all: None,
            candidates: Vec::new(),
            base: Vec::new(),
            races: Vec::new(),
            unseen: 0,
        }
    }

    /// Whether the first of these steps happens before the second, which comes later.
    pub fn is_before(&self, one: u32, later: u32, events: &[Event]) -> bool {
        let event = &events[one as usize];
        self.clock(later)[usize::from(event.way.thread)] >= event.index
    }

    fn clock(&self, event: u32) -> &[u32] {
        &self.clocks[event as usize * self.width..][..self.width]
    }

    /// Finds the races of an execution whose second step is none of the first `known`, which were looked at before.
    pub fn look(&mut self, events: &mut [Event], items: &[Item], known: usize) {
        let threads = events.iter().map(|event| usize::from(event.way.thread) + 1).max().unwrap_or(0);
        let has_room = threads <= self.width;
        if !has_room {
            self.width = threads.next_power_of_two();
        }
        self.begin();
        self.clocks.resize(events.len() * self.width, 0);
        for number in 0..events.len() {
            let thread = usize::from(events[number].way.thread);
            let (_, count) = self.last[thread];
            events[number].index = count + 1;
            if number >= known || !has_room {
                self.find_candidates(events, items, number);
                self.set_clock(events, number, number >= known);
            }
            self.enter(events, items, number);
        }
    }

    fn begin(&mut self) {
        for name in self.touched.drain(..) {
            let (place, passing) = index(name);
            let cell = &mut self.cells[usize::from(passing)][place];
            cell.accesses.clear();
            cell.taken = None;
        }
        self.last.clear();
        self.last.resize(self.width, (NONE, 0));
        self.last_of_all = None;
        self.races.clear();
    }

    fn cell(&mut self, name: u32) -> &mut Cell {
        let (place, passing) = index(name);
        let cells = &mut self.cells[usize::from(passing)];
        if cells.len() <= place {
            cells.resize_with(place + 1, Cell::default);
        }
        &mut cells[place]
    }

    fn find_candidates(&mut self, events: &[Event], items: &[Item], number: usize) {
        let event = &events[number];
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        let is_of_other = |other: u32| events[other as usize].way.thread != event.way.thread;
        let mut push = |other: u32, reversible, of_lock, unseen| {
            if is_of_other(other) {
                candidates.push(Candidate { event: other, reversible, of_lock, unseen });
            }
        };
        if event.everything {
            for &(last, _) in self.last.iter().filter(|(last, _)| *last != NONE) {
                push(last, true, false, None);
            }
        } else if let Some(last) = self.last_of_all {
            push(last, true, false, None);
        }
        for item in &items[event.items.0 as usize..event.items.1 as usize] {
            let of_lock = item.name == event.takes;
            let cell = self.cell(item.name);
            for access in cell.accesses.iter().filter(|access| access.item.conflicts_with(item)) {
                let is_unseen = access.item.is_unseen || item.is_unseen;
                // What is not seen comes after the scheduling point of its step, which may order the two.
                let index = || events[access.event as usize].index + u32::from(access.item.is_unseen);
                push(access.event, !of_lock && !event.joins, of_lock, is_unseen.then(index));
            }
        }
        if event.takes != NONE
            && let Some(taken) = self.cell(event.takes).taken
        {
            push(taken, true, true, None);
        }
        self.candidates = candidates;
    }

    /// What the step comes after, of which the candidates are a part, and which of these it races with.
    fn set_clock(&mut self, events: &[Event], number: usize, races: bool) {
        let event = &events[number];
        let thread = usize::from(event.way.thread);
        let mut base = std::mem::take(&mut self.base);
        base.clear();
        base.resize(self.width, 0);
        for earlier in [self.last[thread].0, event.after] {
            if earlier != NONE {
                join(&mut base, self.clock(earlier));
            }
        }
        let candidates = std::mem::take(&mut self.candidates);
        for candidate in candidates.iter().filter(|candidate| races && candidate.reversible) {
            let earlier = &events[candidate.event as usize];
            let of = usize::from(earlier.way.thread);
            let comes_by = |clock: &[u32]| clock[of] >= earlier.index;
            // A lock is free because whoever had it gave it up: that orders nothing that could not be otherwise.
            let between = candidates
                .iter()
                .filter(|other| other.event != candidate.event && !(candidate.of_lock && other.of_lock))
                .any(|other| comes_by(self.clock(other.event)));
            let race = (candidate.event, number as u32);
            let known = || self.races.iter().rev().take_while(|known| known.1 == race.1).any(|known| *known == race);
            if !comes_by(&base) && !between && !known() {
                self.races.push(race);
            }
        }
        for candidate in candidates.iter().filter(|_| races) {
            let of = usize::from(events[candidate.event as usize].way.thread);
            let is_before = |index: u32| {
                let others = candidates.iter().filter(|other| other.event != candidate.event);
                base[of] >= index || others.into_iter().any(|other| self.clock(other.event)[of] >= index)
            };
            self.unseen += u64::from(candidate.unseen.is_some_and(|index| !is_before(index)));
        }
        for candidate in &candidates {
            join(&mut base, self.clock(candidate.event));
        }
        base[thread] = event.index;
        self.clocks[number * self.width..][..self.width].copy_from_slice(&base);
        (self.base, self.candidates) = (base, candidates);
    }

    fn enter(&mut self, events: &[Event], items: &[Item], number: usize) {
        let event = &events[number];
        let number = number as u32;
        self.last[usize::from(event.way.thread)] = (number, event.index);
        if event.everything {
            self.last_of_all = Some(number);
        }
        for &item in &items[event.items.0 as usize..event.items.1 as usize] {
            let cell = self.cell(item.name);
            if cell.accesses.is_empty() && cell.taken.is_none() {
                self.touched.push(item.name);
            }
            let cell = self.cell(item.name);
            let changes = item.conflicts_with(&item);
            cell.accesses.retain(|access| {
                let is_covered = access.item.bytes & !item.bytes == 0;
                let is_own = events[access.event as usize].way.thread == event.way.thread;
                !(is_covered && (changes || is_own && access.item.access == item.access))
            });
            cell.accesses.push(Access { event: number, item });
        }
        if event.took != NONE {
            self.cell(event.took).taken = Some(number);
        }
    }

    /// The steps after `first` that do not depend on it, up to `last`, which comes with them.
    pub fn without(&self, first: u32, last: u32, events: &[Event], sequence: &mut Vec<u32>) {
        sequence.clear();
        let comes_along = |other: &u32| !events[*other as usize].stuck && !self.is_before(first, *other, events);
        sequence.extend((first + 1..last).filter(comes_along));
        sequence.push(last);
    }

    /// Whether a thread that would take this now, and has not yet, would race with who has it: with which step.
    pub fn taker_before(&mut self, thread: usize, after: u32, name: u32, events: &[Event]) -> Option<u32> {
        let taken = self.cell(name).taken?;
        let earlier = &events[taken as usize];
        let of = usize::from(earlier.way.thread);
        let last = self.last.get(thread).map_or(NONE, |(last, _)| *last);
        let is_before = |step: u32| step != NONE && self.clock(step)[of] >= earlier.index;
        (of != thread && !is_before(last) && !is_before(after)).then_some(taken)
    }
}

fn join(clock: &mut [u32], other: &[u32]) {
    clock.iter_mut().zip(other).for_each(|(own, &other)| *own = (*own).max(other));
}

/// What a step touched.
pub fn touched<'a>(event: &Event, items: &'a [Item]) -> Touched<'a> {
    Touched { everything: event.everything, items: &items[event.items.0 as usize..event.items.1 as usize] }
}
