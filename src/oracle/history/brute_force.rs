//! The search against trying every order, on small histories: what tests and the fuzz target `history` check.

use super::search::Search;
use super::window::{Found, Track};
use crate::reference::sequential::{Action, Caller, Effect, Object, Places};
use crate::task_graph::call::{FILE_ERROR, Pair};
use crate::task_graph::generate::Decisions;
use crate::task_graph::{AccessChecks, CLOSED, EventReset, Objects};

/// A call with the moments of its beginning and its end.
#[derive(Clone, Copy, Debug)]
struct Call {
    caller: Caller,
    action: Action,
    called: u32,
    /// What it gave, and when; `None` if it did not return.
    returned: Option<(i64, u32)>,
}

/// Whether some order of the calls that happened up to `until` explains them: every permutation, as far as it goes.
fn explained(object: &Object, calls: &[Call], until: u32, done: u32) -> bool {
    let returned = |call: &Call| call.returned.filter(|&(_, at)| at <= until);
    let open = |index: usize| done & 1 << index == 0;
    if calls.iter().enumerate().all(|(index, call)| !open(index) || returned(call).is_none()) {
        return true;
    }
    calls.iter().enumerate().filter(|&(index, call)| open(index) && call.called <= until).any(|(index, call)| {
        // It must not come before one that had returned when it was called.
        let late = calls
            .iter()
            .enumerate()
            .any(|(other, before)| open(other) && returned(before).is_some_and(|(_, at)| at < call.called));
        let result = returned(call).map(|(result, _)| result);
        !late
            && Effect::of(call.action, result).iter().any(|&effect| {
                let mut next = object.clone();
                next.explain(call.caller, call.action, result, effect)
                    && explained(&next, calls, until, done | 1 << index)
            })
    })
}

/// What the oracle says of the calls.
fn searched(object: &Object, calls: &[Call], end: u32) -> Result<(), Found> {
    let mut search = Search::new(object);
    let mut track = Track::new(object.clone());
    let mut places = vec![0; calls.len()];
    for stamp in 1..=end {
        for (call, place) in calls.iter().zip(&mut places) {
            if call.called == stamp {
                *place = track.called(call.caller, call.action, stamp);
            }
            if let Some((result, at)) = call.returned
                && at == stamp
            {
                track.returned(*place, call.caller, call.action, result, stamp, &mut search)?;
            }
        }
    }
    track.check(&mut search)
}

/// An action, and what it may be said to have given.
type Choice = (Action, Vec<i64>);

/// The objects of each kind, and what may be done to them.
fn kinds() -> Vec<(Object, Vec<Choice>)> {
    let pair = Pair { a: 1, b: 2 };
    let other = Pair { a: 1, b: 3 };
    let objects = Objects {
        mutexes: 1,
        semaphores: vec![1],
        events: vec![EventReset::Manual, EventReset::Auto],
        latches: vec![2],
        barriers: vec![2],
        channels: vec![1, 2],
        processors: vec![AccessChecks::On],
        registries: 1,
        leases: 1,
        ..Objects::default()
    };
    let none = |actions: &[Action]| actions.iter().map(|&action| (action, vec![0])).collect::<Vec<Choice>>();
    let sends = |value| (Action::Send(value), vec![0, 1]);
    Places::of(&objects)
        .1
        .into_iter()
        .map(|object| {
            let actions = match object {
                Object::Mutex(_) => none(&[Action::Lock, Action::Unlock]),
                Object::Semaphore(_) => none(&[Action::Acquire, Action::Release]),
                Object::Event(_) => none(&[Action::SetEvent, Action::ResetEvent, Action::WaitEvent]),
                Object::Latch(_) => none(&[Action::LatchArrive, Action::LatchWait]),
                Object::Barrier(_) => none(&[Action::BarrierArrive, Action::BarrierWait]),
                Object::Channel(_) => {
                    let mut actions = vec![sends(1), sends(2), (Action::Receive, vec![1, 2, CLOSED])];
                    actions.push((Action::Close, vec![0]));
                    actions
                }
                Object::Processor(_) => vec![(Action::Enter, vec![0, 1]), (Action::Leave, vec![0])],
                Object::Registry(_) => vec![
                    (Action::StartArc(pair), vec![0, 1]),
                    (Action::StartArc(other), vec![0, 1]),
                    (Action::ProgressArc(pair), vec![-1, 1, 2]),
                    (Action::CompleteArc(pair), vec![0, 1]),
                    (Action::CancelArc(other), vec![0, 1]),
                    (Action::ArcStatus(pair), vec![-1, 0, 1, 4]),
                    (Action::ActiveArcs, vec![0, 1, 2]),
                ],
                Object::Lease(_) => vec![
                    (Action::AcquireLease(1), vec![0, 1, FILE_ERROR]),
                    (Action::AcquireLease(2), vec![0, 1]),
                    (Action::RefreshLease(1), vec![0, 1, FILE_ERROR]),
                    (Action::ReleaseLease(1), vec![0, 1, FILE_ERROR]),
                    (Action::LeaseHolder, vec![-1, 1, 2]),
                    (Action::CleanupStale(0), vec![0, 1]),
                    (Action::CleanupStale(5), vec![0, 1]),
                ],
            };
            (object, actions)
        })
        .collect()
}

/// A history of up to six calls by up to four tasks, each in one at a time. A good part of them is right: what a
/// call gives is mostly what it gives if it takes effect when it returns.
fn history(object: &Object, actions: &[Choice], random: &mut impl Decisions) -> (Vec<Call>, u32) {
    let tasks = random.between(1, 4);
    let mut calls: Vec<Call> = vec![];
    let mut state = object.clone();
    let mut stamp = 0;
    for _ in 0..random.between(2, 14) {
        stamp += 1;
        let task = random.below(tasks);
        let caller = Caller { task, thread: task as u16 };
        let open = calls.iter_mut().find(|call| call.caller.task == task && call.returned.is_none());
        if let Some(call) = open {
            let mut next = state.clone();
            let fits = next.perform(caller, call.action);
            let (_, results) = actions.iter().find(|(action, _)| *action == call.action).expect("an action");
            let any = results[random.below(results.len() as u32) as usize];
            let result = match fits {
                Some(result) if !random.chance(1, 5) => {
                    state = next;
                    result
                }
                _ if random.chance(1, 2) => continue,
                _ => any,
            };
            call.returned = Some((result, stamp));
        } else if calls.len() < 6 {
            let (mut action, _) = actions[random.below(actions.len() as u32) as usize];
            let last = calls.iter().rfind(|call| call.caller.task == task).map(|call| (call.action, call.returned));
            // As task graphs are: who is in leaves before anything else, and nobody else does.
            action = match (action, last) {
                (Action::Enter | Action::Leave, Some((Action::Enter, Some((1, _))))) => Action::Leave,
                (Action::Enter | Action::Leave, _) => Action::Enter,
                (Action::Lock | Action::Unlock, Some((Action::Lock, _))) => Action::Unlock,
                (Action::Lock | Action::Unlock, _) => Action::Lock,
                _ => action,
            };
            calls.push(Call { caller, action, called: stamp, returned: None });
        }
    }
    (calls, stamp)
}

/// What the oracle and trying every order both say of one history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreed {
    Right,
    Wrong,
}

/// The number of kinds of object that histories can be about.
#[must_use]
pub fn kinds_of_object() -> usize {
    kinds().len()
}

/// Draws a history of an object of that kind, asks both, and says what they agree on.
///
/// # Errors
/// They do not agree; the history.
///
/// # Panics
/// There is no such kind.
pub fn compare(kind: usize, random: &mut impl Decisions) -> Result<Agreed, String> {
    let (object, actions) = kinds().swap_remove(kind);
    let (calls, end) = history(&object, &actions, random);
    let told = |what: &str| Err(format!("{what}: {object}\n{calls:#?}"));
    match searched(&object, &calls, end) {
        Ok(()) if explained(&object, &calls, end, 0) => Ok(Agreed::Right),
        Ok(()) => told("the search found an order where there is none"),
        Err(Found::Impossible(stamp)) if explained(&object, &calls, stamp, 0) => {
            told(&format!("the search found no order at {stamp}, but there is one"))
        }
        Err(Found::Impossible(stamp)) if !explained(&object, &calls, stamp - 1, 0) => {
            told(&format!("there is no order already before {stamp}"))
        }
        Err(Found::Impossible(_)) => Ok(Agreed::Wrong),
        Err(Found::TooLong) => told("the search gave up"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task_graph::generate::Seeded;

    #[test]
    fn the_search_agrees_with_trying_every_order() {
        let mut random = Seeded::new(11);
        for kind in 0..kinds_of_object() {
            let (mut right, mut wrong) = (0, 0);
            for _ in 0..4_000 {
                match compare(kind, &mut random) {
                    Ok(Agreed::Right) => right += 1,
                    Ok(Agreed::Wrong) => wrong += 1,
                    Err(told) => panic!("{told}"),
                }
            }
            assert!(right > 300 && wrong > 100, "kind {kind}: {right} right, {wrong} wrong");
        }
    }
}
