//! The races of an execution by the definitions of C++20, from no more than its events: every pair of accesses is looked at, and
//! for each event there is the set of all events that happen before it.

use std::collections::BTreeSet;

use super::traces::{Access, Event, Order, What};

/// Sets of events, by event: those that happen before it.
pub struct Before(Vec<Vec<bool>>);

impl Before {
    pub fn of(events: &[Event]) -> Self {
        let mut before = vec![vec![false; events.len()]; events.len()];
        for event in 0..events.len() {
            for earlier in direct(events, event) {
                let [of_earlier, own] = before.get_disjoint_mut([earlier, event]).expect("it is another event");
                own[earlier] = true;
                own.iter_mut().zip(of_earlier).for_each(|(own, other)| *own |= *other);
            }
        }
        Self(before)
    }

    pub fn has(&self, earlier: usize, later: usize) -> bool {
        self.0[later][earlier]
    }
}

/// The events that are sequenced directly before one, or synchronise with it.
fn direct(events: &[Event], event: usize) -> Vec<usize> {
    let thread = events[event].thread;
    let earlier = |is_it: &dyn Fn(&Event) -> bool| (0..event).rev().find(|index| is_it(&events[*index]));
    let creates = |other: &Event| matches!(other.what, What::Create(child) if child == thread);
    let mut found = Vec::new();
    found.extend(earlier(&|other| other.thread == thread).or_else(|| earlier(&creates)));
    match events[event].what {
        What::Lock(lock) => found.extend(earlier(&|other| matches!(other.what, What::Unlock(same) if same == lock))),
        What::Join(child) => found.extend(earlier(&|other| other.thread == child)),
        What::Fence(Order { acquires: true, .. }) => {
            // Whatever it has read before, in whatever order.
            let reads =
                (0..event).filter(|index| events[*index].thread == thread).filter_map(|index| read(&events[index]));
            found.extend(reads.flat_map(|(_, store)| heads(events, store)));
        }
        _ => {}
    }
    if let Some((Order { acquires: true, .. }, store)) = read(&events[event]) {
        found.extend(heads(events, store));
    }
    found
}

fn read(event: &Event) -> Option<(Order, usize)> {
    match event.what {
        What::Load(_, order, store) | What::ReadModifyWrite(_, order, store) => Some((order, store?)),
        _ => None,
    }
}

/// The release operations whose release sequence has that store, and the release fences before one of it.
fn heads(events: &[Event], store: usize) -> Vec<usize> {
    let mut heads = Vec::new();
    let mut next = Some(store);
    while let Some(store) = next {
        let (What::Store(_, order) | What::ReadModifyWrite(_, order, _)) = events[store].what else { unreachable!() };
        if order.releases {
            heads.push(store);
        }
        let is_fence = |event: &Event| matches!(event.what, What::Fence(Order { releases: true, .. }));
        heads.extend(
            (0..store).filter(|index| events[*index].thread == events[store].thread && is_fence(&events[*index])),
        );
        next = match events[store].what {
            What::ReadModifyWrite(_, _, read) => read,
            _ => None,
        };
    }
    heads
}

/// Two accesses that race, with their events.
pub type Pair = ((usize, Access), (usize, Access));

/// The pairs of accesses that race.
pub fn races(events: &[Event], before: &Before) -> Vec<Pair> {
    let mut found = Vec::new();
    for (later, event) in events.iter().enumerate() {
        for (earlier, other) in events[..later].iter().enumerate() {
            if other.thread == event.thread || before.has(earlier, later) {
                continue;
            }
            for one in other.accesses() {
                for two in event.accesses() {
                    if conflict(one, two) && common(one, two).any(|byte| !is_anew(&events[earlier..later], byte)) {
                        found.push(((earlier, *one), (later, *two)));
                    }
                }
            }
        }
    }
    found
}

pub fn places(races: &[Pair]) -> BTreeSet<(usize, usize)> {
    let pair = |one: usize, other: usize| (one.min(other), one.max(other));
    races.iter().map(|((_, one), (_, other))| pair(one.place, other.place)).collect()
}

fn conflict(one: &Access, other: &Access) -> bool {
    (one.kind.writes() || other.kind.writes()) && !(one.kind.is_atomic() && other.kind.is_atomic())
}

fn common(one: &Access, other: &Access) -> std::ops::Range<usize> {
    one.address.max(other.address)..(one.address + one.size).min(other.address + other.size)
}

/// Whether that byte is another object's after some of these events.
fn is_anew(events: &[Event], byte: usize) -> bool {
    events.iter().any(|event| matches!(event.what, What::Forget(start, size) if (start..start + size).contains(&byte)))
}
