//! The history oracle: the calls and returns on each shared object must be those of some order of the calls,
//! one after another, in which no call comes before one that had returned when it was called (Herlihy and
//! Wing, "Linearizability", 1990). The sequential objects of the reference say what a call gives in an order.
//!
//! Objects are looked at one by one, since a history is linearizable if it is so for each object, and each
//! from one moment of rest to the next ([`window`]); only where calls overlapped there is a search ([`search`]).

pub mod brute_force;
mod contexts;
mod explain;
mod resume;
mod search;
#[cfg(test)]
mod tests;
mod window;

use super::plan::{NONE, Plan, Planned};
use super::{Wrong, wrong};
use crate::model::execution::{Event, EventKind};
use crate::model::verdict::{Failure, OracleName, Verdict};
use crate::reference::sequential::{Action, Caller, Object, Places};
use crate::task_graph::{Call, Operation, TaskId};
use contexts::ThreadContexts;
use resume::Resuming;
use search::Search;
use window::{Found, Track};

/// The rule that a history breaks.
const RULE: &str = "no order of the calls explains it";
/// The rule that a lease breaks after a crash.
const RECOVERED: &str = "no order of the calls explains what a crash left";
/// Why an event of a processor is out of step.
const NO_RESUME: &str = "it resumes nothing";

pub(super) struct History {
    /// The object of each operation of the task graph and what it does there, by the place of the operation.
    routes: Vec<Route>,
    tracks: Vec<Track>,
    /// The object of each lease.
    leases: Vec<u32>,
    /// The objects that were called, each once.
    touched: Vec<u32>,
    is_touched: Vec<bool>,
    /// By task: the place of its call under way in the object's window, and where it is in a `Resume`.
    calls: Vec<u32>,
    resumes: Vec<Resuming>,
    /// How many mutexes each task holds.
    held: Vec<u32>,
    /// How many threads are certainly inside each object that is a processor.
    inside: Vec<u32>,
    contexts: ThreadContexts,
    /// An object whose history was too long to be explained.
    lost: Option<u32>,
    search: Option<Search>,
}

#[derive(Clone, Copy)]
struct Route {
    /// [`NONE`] if the operation is on no object.
    object: u32,
    action: Action,
}

impl History {
    pub fn new(plan: &Plan) -> Self {
        let (places, row) = Places::of(&plan.objects);
        let route = |operation: &Operation| {
            let (object, action) =
                places.route(operation).map_or((NONE, Action::Lock), |(at, action)| (at as u32, action));
            Route { object, action }
        };
        Self {
            routes: plan.operations.iter().map(|planned| route(&planned.operation)).collect(),
            leases: (0..plan.objects.leases).map(|id| route(&Operation::Call(Call::LeaseHolder(id))).object).collect(),
            touched: Vec::with_capacity(row.len()),
            is_touched: vec![false; row.len()],
            calls: vec![0; plan.tasks.len()],
            resumes: vec![Resuming::default(); plan.tasks.len()],
            held: vec![0; plan.tasks.len()],
            inside: vec![0; row.len()],
            contexts: ThreadContexts::default(),
            lost: None,
            search: row.first().map(Search::new),
            tracks: row.into_iter().map(Track::new).collect(),
        }
    }

    /// The executions are under a weak memory model.
    pub fn under_weak_memory(&mut self) {
        self.tracks.iter_mut().for_each(Track::under_weak_memory);
    }

    pub fn reset(&mut self) {
        // `calls` and `resumes` are written at a beginning before they are read at an end.
        for object in self.touched.drain(..) {
            self.tracks[object as usize].reset();
            self.is_touched[object as usize] = false;
            self.inside[object as usize] = 0;
        }
        self.held.fill(0);
        self.contexts.reset();
        self.lost = None;
    }

    /// An object whose calls overlapped in more ways than could be tried, so that nothing is known of it.
    pub fn lost(&self) -> Option<&Object> {
        self.lost.map(|object| self.tracks[object as usize].state())
    }

    #[inline]
    pub fn observe(
        &mut self,
        plan: &Plan,
        events: &[Event],
        event: &Event,
        planned: &Planned,
        stamp: u32,
    ) -> Result<(), Wrong> {
        match event.kind {
            EventKind::OperationFail => self.failed(plan, event),
            EventKind::Callback => return Ok(()),
            _ => {}
        }
        let route = &self.routes[planned.at];
        let object = route.object;
        if object == NONE {
            return match (event.kind, &planned.operation) {
                (EventKind::OperationEnd, Operation::Call(call)) => self.contexts.returned(plan, event, call),
                (EventKind::Entered | EventKind::Leaving, _) => Err(resume::out_of_step(plan, event, NO_RESUME)),
                _ => Ok(()),
            };
        }
        let action = route.action;
        if self.tracks[object as usize].lost {
            return Ok(());
        }
        let seen = match (action, event.kind) {
            (Action::Enter, _) => self.resumed(plan, event, object, stamp)?,
            (_, EventKind::OperationBegin) => {
                self.called(event, object, action, stamp);
                Ok(())
            }
            (_, EventKind::OperationEnd) => self.returned(event, object, action, event.value, stamp),
            (_, EventKind::OperationFail) => self.withdrawn(event, object),
            _ => return Err(resume::out_of_step(plan, event, NO_RESUME)),
        };
        seen.or_else(|found| self.found(plan, events, object, &found))
    }

    /// What must hold of calls that never returned.
    pub fn finish(&mut self, plan: &Plan, events: &[Event]) -> Result<(), Wrong> {
        for at in 0..self.touched.len() {
            let object = self.touched[at];
            let Some(search) = &mut self.search else { break };
            if let Err(found) = self.tracks[object as usize].check(search) {
                self.found(plan, events, object, &found)?;
            }
        }
        Ok(())
    }

    /// What must hold of leases that were found like this after a crash: calls under way may have taken effect or not.
    pub fn recovered(&mut self, plan: &Plan, events: &[Event], holders: &[i64]) -> Result<(), Wrong> {
        let later = Caller { task: TaskId::MAX, thread: 0 };
        let stamp = events.len() as u32 + 1;
        for (&object, &holder) in self.leases.iter().zip(holders) {
            let Some(search) = &mut self.search else { break };
            let track = &mut self.tracks[object as usize];
            if track.lost {
                continue;
            }
            if !std::mem::replace(&mut self.is_touched[object as usize], true) {
                self.touched.push(object);
            }
            let place = track.called(later, Action::LeaseHolder, stamp);
            let seen = track
                .returned(place, later, Action::LeaseHolder, holder, stamp, search)
                .and_then(|()| track.check(search));
            match seen {
                Ok(()) => {}
                Err(Found::TooLong) => self.lost = Some(object),
                Err(Found::Impossible(_)) => {
                    let explained = self.explain(plan, events, object);
                    let detail = format!("after the crash its holder is {holder}; {explained}");
                    return Err(Box::new(Failure {
                        verdict: Verdict::WrongHistory,
                        oracle: OracleName::History,
                        message: format!("{RECOVERED}: {detail}"),
                        cause: RECOVERED.to_owned(),
                    }));
                }
            }
        }
        Ok(())
    }

    /// Of tasks that wait in an operation on an object, each with the place of the operation, those that
    /// could go on. An object counts only if in every explanation of its history some task could.
    pub fn ready(&mut self, waiting: &[(TaskId, usize)]) -> Vec<TaskId> {
        let Some(search) = &mut self.search else { return vec![] };
        let mut ready = vec![];
        for &object in &self.touched {
            let here = waiting.iter().filter_map(|&(task, at)| {
                let route = self.routes[at];
                (route.object == object).then(|| (task, route.action, self.calls[task as usize]))
            });
            let here: Vec<_> = here.collect();
            if !here.is_empty() && !self.tracks[object as usize].lost {
                ready.extend(self.tracks[object as usize].ready(&here, search));
                if self.tracks[object as usize].lost {
                    self.lost = Some(object);
                }
            }
        }
        ready
    }

    #[inline]
    fn called(&mut self, event: &Event, object: u32, action: Action, stamp: u32) {
        if !std::mem::replace(&mut self.is_touched[object as usize], true) {
            self.touched.push(object);
        }
        if action == Action::Unlock {
            self.held[event.task as usize] -= 1;
        }
        self.calls[event.task as usize] = self.tracks[object as usize].called(caller(event), action, stamp);
    }

    #[inline]
    fn returned(&mut self, event: &Event, object: u32, action: Action, gave: i64, stamp: u32) -> Result<(), Found> {
        if action == Action::Lock {
            self.held[event.task as usize] += 1;
        }
        let place = self.calls[event.task as usize];
        let Some(search) = &mut self.search else { return Ok(()) };
        self.tracks[object as usize].returned(place, caller(event), action, gave, stamp, search)
    }

    /// A call that failed, which is for want of memory: it never happened.
    fn withdrawn(&mut self, event: &Event, object: u32) -> Result<(), Found> {
        let place = self.calls[event.task as usize];
        let Some(search) = &mut self.search else { return Ok(()) };
        self.tracks[object as usize].withdrawn(place, search)
    }

    /// A task that fails leaves its branches, and gives its mutexes back from here on.
    fn failed(&mut self, plan: &Plan, event: &Event) {
        if matches!(plan.operation(event), Operation::AwaitCatch(_)) {
            return;
        }
        self.contexts.failed(event);
        if std::mem::take(&mut self.held[event.task as usize]) == 0 {
            return;
        }
        for &object in &self.touched {
            self.tracks[object as usize].abandon(event.task);
        }
    }

    #[cold]
    fn found(&mut self, plan: &Plan, events: &[Event], object: u32, found: &Found) -> Result<(), Wrong> {
        let &Found::Impossible(stamp) = found else {
            self.lost = Some(object);
            return Ok(());
        };
        let event = &events[stamp as usize - 1];
        let detail = self.explain(plan, &events[..stamp as usize], object);
        let mut wrong = wrong(plan, event, OracleName::History, Verdict::WrongHistory, RULE, &detail);
        // Which call notices what was done to the object depends on the task graph.
        wrong.cause = format!("{RULE}: {}", self.tracks[object as usize].state().kind());
        Err(wrong)
    }
}

fn caller(event: &Event) -> Caller {
    Caller { task: event.task, thread: event.thread }
}
