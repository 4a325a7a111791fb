//! The sequential specification of the systems beside the scheduler: what each call does when nothing else happens.

use std::collections::{BTreeMap, HashMap};

use crate::execution::{EventKind, ThreadId};
use crate::program::call::{self, Agent, ArcEvent, ArcState, Body, Pair};
use crate::program::{AccessChecks, Call, ObjectId, Objects, TaskId};

/// The main thread, as executions count threads.
const MAIN: ThreadId = 0;

/// The systems of a program between two calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Systems {
    processors: Vec<Processor>,
    contexts: Contexts,
    registries: Vec<Registry>,
    leases: Vec<Lease>,
}

/// What a call did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// What the call gives.
    pub value: i64,
    /// What a registry calls back with.
    pub callback: Option<i64>,
}

impl Effect {
    fn of(value: i64) -> Self {
        Self { value, callback: None }
    }
}

impl Systems {
    /// The systems as a program finds them.
    #[must_use]
    pub fn new(objects: &Objects) -> Self {
        Self {
            processors: objects.processors.iter().map(|&checks| Processor::new(checks)).collect(),
            contexts: Contexts::default(),
            registries: vec![Registry::default(); objects.registries as usize],
            leases: vec![Lease::default(); objects.leases as usize],
        }
    }

    /// Makes the call for a task that is on that thread. A `Resume` only enters: what it gives holds from here
    /// on, and if it is 1, [`Systems::leave`] follows.
    pub fn apply(&mut self, task: TaskId, thread: ThreadId, call: &Call) -> Effect {
        match *call {
            Call::Resume(id, _) => Effect::of(self.processors[id as usize].enter(thread).into()),
            Call::BeginBranch(_) | Call::NestBranch => {
                self.contexts.begin(task, thread);
                Effect::of(0)
            }
            Call::EndBranch => {
                self.contexts.end(task);
                Effect::of(0)
            }
            Call::GetContext => Effect::of(*self.contexts.innermost(task)),
            Call::PutContext(value) => {
                *self.contexts.innermost(task) = value;
                Effect::of(0)
            }
            Call::StartArc(id, _)
            | Call::ProgressArc(id, _)
            | Call::CompleteArc(id, _)
            | Call::CancelArc(id, _)
            | Call::ArcStatus(id, _)
            | Call::ActiveArcs(id)
            | Call::ProcessArcs(id) => self.registries[id as usize].apply(call),
            Call::AcquireLease(id, _)
            | Call::RefreshLease(id, _)
            | Call::ReleaseLease(id, _)
            | Call::LeaseHolder(id)
            | Call::CleanupStale(id, _) => Effect::of(self.leases[id as usize].apply(call)),
        }
    }

    /// Whether the processor checks who enters it.
    #[must_use]
    pub fn checks(&self, processor: ObjectId) -> AccessChecks {
        self.processors[processor as usize].checks
    }

    /// Ends a `Resume` that entered.
    pub fn leave(&mut self, call: &Call) {
        if let Call::Resume(id, _) = *call {
            self.processors[id as usize].leave();
        }
    }

    /// Ends every branch that the task is in, as its failure does.
    pub fn end_branches(&mut self, task: TaskId) {
        self.contexts.branches.remove(&task);
    }
}

/// What a `Resume` records while it is inside, in order.
#[must_use]
pub fn visit(body: Body, checks: AccessChecks) -> &'static [(EventKind, i64)] {
    match (body, checks) {
        (Body::Plain | Body::Throwing, _) | (Body::HandingOver, AccessChecks::On) => {
            &[(EventKind::Entered, 1), (EventKind::Leaving, 1)]
        }
        (Body::Nested, _) | (Body::HandingOver, AccessChecks::Off) => {
            &[(EventKind::Entered, 1), (EventKind::Entered, 2), (EventKind::Leaving, 2), (EventKind::Leaving, 1)]
        }
    }
}

/// A processor: which thread is inside, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Processor {
    checks: AccessChecks,
    owner: ThreadId,
    /// 0: nobody is inside, or nobody is asked.
    depth: u32,
}

impl Processor {
    #[must_use]
    pub fn new(checks: AccessChecks) -> Self {
        Self { checks, owner: MAIN, depth: 0 }
    }

    /// Lets a thread in, unless another one is inside.
    pub fn enter(&mut self, thread: ThreadId) -> bool {
        if self.checks == AccessChecks::Off {
            return true;
        }
        if self.depth > 0 && self.owner != thread {
            return false;
        }
        self.owner = thread;
        self.depth += 1;
        true
    }

    /// Lets the thread out that is inside.
    pub fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}

/// What the contexts hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Contexts {
    /// The one that the main thread keeps.
    main: i64,
    /// The branches of each task, the innermost last. None: of the main thread.
    branches: HashMap<TaskId, Vec<Option<i64>>>,
}

impl Contexts {
    fn begin(&mut self, task: TaskId, thread: ThreadId) {
        let fresh = (thread != MAIN).then_some(0);
        self.branches.entry(task).or_default().push(fresh);
    }

    fn end(&mut self, task: TaskId) {
        if let Some(branches) = self.branches.get_mut(&task) {
            branches.pop();
        }
    }

    /// # Panics
    /// If the task is in no branch: the program is not valid.
    fn innermost(&mut self, task: TaskId) -> &mut i64 {
        let branch = self.branches.get_mut(&task).and_then(|branches| branches.last_mut());
        branch.expect("only a task in a branch has a context").as_mut().unwrap_or(&mut self.main)
    }
}

/// The latest arc of each pair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Registry {
    arcs: BTreeMap<Pair, (ArcState, u32)>,
}

impl Registry {
    /// Makes a call on a registry; others give 0.
    pub fn apply(&mut self, call: &Call) -> Effect {
        match *call {
            Call::StartArc(_, pair) if self.phase(pair).is_none() => {
                self.arcs.insert(pair, (ArcState::Active, 0));
                Effect { value: 1, callback: Some(ArcEvent::Started.of(pair)) }
            }
            Call::ProgressArc(_, pair) => match self.phase(pair) {
                Some(phase) => {
                    self.arcs.insert(pair, (ArcState::Active, phase + 1));
                    Effect { value: i64::from(phase) + 1, callback: Some(ArcEvent::Progressed.of(pair)) }
                }
                None => Effect::of(-1),
            },
            Call::CompleteArc(_, pair) => self.end(pair, ArcState::Completed, ArcEvent::Completed),
            Call::CancelArc(_, pair) => self.end(pair, ArcState::Cancelled, ArcEvent::Cancelled),
            Call::ArcStatus(_, pair) => {
                Effect::of(self.arcs.get(&pair).map_or(-1, |(state, phase)| state.status(*phase)))
            }
            Call::ActiveArcs(_) => Effect::of(self.active().count() as i64),
            Call::ProcessArcs(_) => Effect::of(call::visited(self.active())),
            _ => Effect::of(0),
        }
    }

    fn end(&mut self, pair: Pair, state: ArcState, event: ArcEvent) -> Effect {
        match self.phase(pair) {
            Some(phase) => {
                self.arcs.insert(pair, (state, phase));
                Effect { value: 1, callback: Some(event.of(pair)) }
            }
            None => Effect::of(0),
        }
    }

    /// The phase of the pair's active arc.
    fn phase(&self, pair: Pair) -> Option<u32> {
        self.arcs.get(&pair).filter(|(state, _)| *state == ArcState::Active).map(|(_, phase)| *phase)
    }

    fn active(&self) -> impl Iterator<Item = (Pair, u32)> {
        let active = self.arcs.iter().filter(|(_, (state, _))| *state == ArcState::Active);
        active.map(|(pair, (_, phase))| (*pair, *phase))
    }
}

/// Who holds a lease. No time passes here, so only a time-out of 0 makes it stale.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lease {
    holder: Option<Agent>,
}

impl Lease {
    /// Makes a call on a lease; others give 0.
    pub fn apply(&mut self, call: &Call) -> i64 {
        match *call {
            Call::AcquireLease(_, agent) if self.holder.is_none() => {
                self.holder = Some(agent);
                1
            }
            Call::RefreshLease(_, agent) => i64::from(self.holder == Some(agent)),
            Call::ReleaseLease(_, agent) if self.holder == Some(agent) => {
                self.holder = None;
                1
            }
            Call::LeaseHolder(_) => self.holder.map_or(-1, i64::from),
            Call::CleanupStale(_, 0) => i64::from(self.holder.take().is_some()),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn systems() -> Systems {
        Systems::new(&Objects {
            processors: vec![AccessChecks::On, AccessChecks::Off],
            engines: 1,
            registries: 1,
            leases: 1,
            ..Objects::default()
        })
    }

    fn give(systems: &mut Systems, task: TaskId, thread: ThreadId, calls: &[Call]) -> Vec<i64> {
        calls.iter().map(|call| systems.apply(task, thread, call).value).collect()
    }

    #[test]
    fn a_processor_lets_one_thread_in_until_its_outermost_exit() {
        let mut systems = systems();
        let resume = Call::Resume(0, Body::Plain);
        assert_eq!(give(&mut systems, 1, 1, &[resume, resume]), [1, 1]);
        systems.leave(&resume);
        assert_eq!(give(&mut systems, 2, 2, &[resume]), [0], "the outer one is still inside");
        systems.leave(&resume);
        assert_eq!(give(&mut systems, 2, 2, &[resume]), [1]);
    }

    #[test]
    fn without_checks_nobody_is_refused() {
        let mut systems = systems();
        let resume = Call::Resume(1, Body::Plain);
        assert_eq!(give(&mut systems, 1, 1, &[resume]), [1]);
        assert_eq!(give(&mut systems, 2, 2, &[resume]), [1]);
    }

    #[test]
    fn the_main_thread_keeps_its_context_and_others_get_fresh_ones() {
        let look = [Call::BeginBranch(0), Call::GetContext, Call::PutContext(5), Call::NestBranch, Call::GetContext];
        let mut systems = systems();
        assert_eq!(give(&mut systems, 1, 1, &look), [0, 0, 0, 0, 0], "a branch in a branch has a context of its own");
        assert_eq!(give(&mut systems, 1, 1, &[Call::EndBranch, Call::GetContext]), [0, 5]);
        assert_eq!(give(&mut systems, 2, 0, &look), [0, 0, 0, 0, 5], "but on the main thread there is one");
        systems.end_branches(2);
        assert_eq!(give(&mut systems, 3, 0, &look), [0, 5, 0, 0, 5]);
    }

    #[test]
    fn a_pair_has_one_active_arc_and_tells_of_each_change() {
        let mut systems = systems();
        let pair = Pair { a: 1, b: 2 };
        let mut apply = |call| systems.apply(0, 0, &call);
        assert_eq!(apply(Call::ArcStatus(0, pair)), Effect::of(-1));
        assert_eq!(apply(Call::StartArc(0, pair)).callback, Some(ArcEvent::Started.of(pair)));
        assert_eq!(apply(Call::StartArc(0, pair)), Effect::of(0));
        assert_eq!(apply(Call::ProgressArc(0, pair)).value, 1);
        assert_eq!(apply(Call::ProcessArcs(0)).value, call::visited([(pair, 1)]));
        assert_eq!(apply(Call::CancelArc(0, pair)).callback, Some(ArcEvent::Cancelled.of(pair)));
        assert_eq!(apply(Call::CompleteArc(0, pair)), Effect::of(0));
        assert_eq!(apply(Call::ArcStatus(0, pair)).value, ArcState::Cancelled.status(1));
        assert_eq!(apply(Call::ActiveArcs(0)).value, 0);
        assert_eq!(apply(Call::StartArc(0, pair)).value, 1, "it may begin again");
        assert_eq!(apply(Call::ArcStatus(0, pair)).value, ArcState::Active.status(0));
    }

    #[test]
    fn a_lease_has_one_holder_who_alone_may_renew_it_and_give_it_back() {
        let calls = [
            (Call::RefreshLease(0, 1), 0),
            (Call::AcquireLease(0, 1), 1),
            (Call::AcquireLease(0, 1), 0),
            (Call::RefreshLease(0, 2), 0),
            (Call::ReleaseLease(0, 2), 0),
            (Call::RefreshLease(0, 1), 1),
            (Call::CleanupStale(0, 1_000), 0),
            (Call::LeaseHolder(0), 1),
            (Call::CleanupStale(0, 0), 1),
            (Call::CleanupStale(0, 0), 0),
            (Call::LeaseHolder(0), -1),
        ];
        let mut systems = systems();
        for (call, value) in calls {
            assert_eq!(systems.apply(0, 0, &call).value, value, "{call:?}");
        }
    }
}
