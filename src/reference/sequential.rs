//! The sequential objects: what each action on a shared object does and gives when nothing else happens.
//!
//! This is the one specification of the objects. The model performs actions on them one after another; the
//! history oracle looks for an order of overlapping actions that they allow.

mod barrier;
mod channel;
mod lease;
mod processor;
mod registry;
mod signals;

use std::fmt::{self, Display, Formatter};

pub use barrier::Barrier;
pub use channel::Channel;
pub use lease::{Effect, Lease};
pub use processor::Processor;
pub use registry::Registry;
pub use signals::{Event, Latch, Mutex, Semaphore};

use crate::model::execution::ThreadId;
use crate::task_graph::call::{Agent, Call, Pair};
use crate::task_graph::{CLOSED, EventReset, ObjectId, Objects, Operation, TaskId};

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    pub task: TaskId,
    pub thread: ThreadId,
}

/// What can be done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Lock,
    Unlock,
    Acquire,
    Release,
    SetEvent,
    ResetEvent,
    WaitEvent,
    LatchArrive,
    LatchWait,
    BarrierArrive,
    BarrierWait,
    Send(i64),
    Receive,
    Close,
    /// The first half of a `Resume`, up to its being inside or refused.
    Enter,
    /// The second half of a `Resume` that got in.
    Leave,
    StartArc(Pair),
    ProgressArc(Pair),
    CompleteArc(Pair),
    CancelArc(Pair),
    ArcStatus(Pair),
    ActiveArcs,
    ProcessArcs,
    AcquireLease(Agent),
    RefreshLease(Agent),
    ReleaseLease(Agent),
    LeaseHolder,
    CleanupStale(u32),
}

impl Action {
    /// What a call does to which object. Of a `Resume` that is its first half. `None`: contexts belong to a
    /// thread, not to an object that several share.
    #[must_use]
    pub fn of(call: &Call) -> Option<(Kind, ObjectId, Self)> {
        Some(match *call {
            Call::Resume(id, _) => (Kind::Processor, id, Action::Enter),
            Call::StartArc(id, pair) => (Kind::Registry, id, Action::StartArc(pair)),
            Call::ProgressArc(id, pair) => (Kind::Registry, id, Action::ProgressArc(pair)),
            Call::CompleteArc(id, pair) => (Kind::Registry, id, Action::CompleteArc(pair)),
            Call::CancelArc(id, pair) => (Kind::Registry, id, Action::CancelArc(pair)),
            Call::ArcStatus(id, pair) => (Kind::Registry, id, Action::ArcStatus(pair)),
            Call::ActiveArcs(id) => (Kind::Registry, id, Action::ActiveArcs),
            Call::ProcessArcs(id) => (Kind::Registry, id, Action::ProcessArcs),
            Call::AcquireLease(id, agent) => (Kind::Lease, id, Action::AcquireLease(agent)),
            Call::RefreshLease(id, agent) => (Kind::Lease, id, Action::RefreshLease(agent)),
            Call::ReleaseLease(id, agent) => (Kind::Lease, id, Action::ReleaseLease(agent)),
            Call::LeaseHolder(id) => (Kind::Lease, id, Action::LeaseHolder),
            Call::CleanupStale(id, age) => (Kind::Lease, id, Action::CleanupStale(age)),
            Call::BeginBranch(_) | Call::NestBranch | Call::EndBranch | Call::GetContext | Call::PutContext(_) => {
                return None;
            }
        })
    }
}

/// Where between its call and its return an action may take effect, as far as that makes a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It can only help every other action: the sooner the better.
    Call,
    /// It can only hinder the others, or stays possible and changes nothing: the later the better.
    Return,
    /// It matters.
    Any,
}

/// The kinds of object that actions are done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Mutex,
    Semaphore,
    Event,
    Latch,
    Barrier,
    Channel,
    Processor,
    Registry,
    Lease,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Mutex,
        Self::Semaphore,
        Self::Event,
        Self::Latch,
        Self::Barrier,
        Self::Channel,
        Self::Processor,
        Self::Registry,
        Self::Lease,
    ];

    fn count(self, objects: &Objects) -> usize {
        match self {
            Self::Mutex => objects.mutexes as usize,
            Self::Semaphore => objects.semaphores.len(),
            Self::Event => objects.events.len(),
            Self::Latch => objects.latches.len(),
            Self::Barrier => objects.barriers.len(),
            Self::Channel => objects.channels.len(),
            Self::Processor => objects.processors.len(),
            Self::Registry => objects.registries as usize,
            Self::Lease => objects.leases as usize,
        }
    }

    /// The object of that index as a task graph finds it.
    fn object(self, objects: &Objects, id: usize) -> Object {
        match self {
            Self::Mutex => Object::Mutex(Mutex::default()),
            Self::Semaphore => Object::Semaphore(Semaphore::new(objects.semaphores[id])),
            Self::Event => Object::Event(Event::new(objects.events[id])),
            Self::Latch => Object::Latch(Latch::new(objects.latches[id])),
            Self::Barrier => Object::Barrier(Barrier::new(objects.barriers[id])),
            Self::Channel => Object::Channel(Channel::new(objects.channels[id])),
            Self::Processor => Object::Processor(Processor::new(objects.processors[id])),
            Self::Registry => Object::Registry(Registry::default()),
            Self::Lease => Object::Lease(Lease::default()),
        }
    }
}

/// The places of a task graph's objects when those of all kinds stand in one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    first: [usize; Kind::ALL.len()],
}

impl Places {
    /// The places of these objects, and the objects as a task graph finds them.
    #[must_use]
    pub fn of(objects: &Objects) -> (Self, Vec<Object>) {
        let mut row = vec![];
        let first = Kind::ALL.map(|kind| {
            let first = row.len();
            row.extend((0..kind.count(objects)).map(|id| kind.object(objects, id)));
            first
        });
        (Self { first }, row)
    }

    /// The object that an operation is about, and what it does to it; `None` if it is about none. Of a
    /// `Resume` that is its first half.
    #[must_use]
    pub fn route(&self, operation: &Operation) -> Option<(usize, Action)> {
        let (kind, id, action) = target(operation)?;
        Some((self.first[kind as usize] + id as usize, action))
    }
}

fn target(operation: &Operation) -> Option<(Kind, ObjectId, Action)> {
    Some(match *operation {
        Operation::Lock(id) => (Kind::Mutex, id, Action::Lock),
        Operation::Unlock(id) => (Kind::Mutex, id, Action::Unlock),
        Operation::Acquire(id) => (Kind::Semaphore, id, Action::Acquire),
        Operation::Release(id) => (Kind::Semaphore, id, Action::Release),
        Operation::SetEvent(id) => (Kind::Event, id, Action::SetEvent),
        Operation::ResetEvent(id) => (Kind::Event, id, Action::ResetEvent),
        Operation::WaitEvent(id) => (Kind::Event, id, Action::WaitEvent),
        Operation::LatchArrive(id) => (Kind::Latch, id, Action::LatchArrive),
        Operation::LatchWait(id) => (Kind::Latch, id, Action::LatchWait),
        Operation::BarrierArrive(id) => (Kind::Barrier, id, Action::BarrierArrive),
        Operation::BarrierWait(id) => (Kind::Barrier, id, Action::BarrierWait),
        Operation::Send(id, value) => (Kind::Channel, id, Action::Send(value)),
        Operation::Receive(id) => (Kind::Channel, id, Action::Receive),
        Operation::Close(id) => (Kind::Channel, id, Action::Close),
        Operation::Call(ref call) => return Action::of(call),
        _ => return None,
    })
}

/// An object between two actions.
#[derive(Debug, PartialEq, Eq, Hash)]
pub enum Object {
    Mutex(Mutex),
    Semaphore(Semaphore),
    Event(Event),
    Latch(Latch),
    Barrier(Barrier),
    Channel(Channel),
    Processor(Processor),
    Registry(Registry),
    Lease(Lease),
}

impl Object {
    /// The kind in a word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Mutex(_) => "mutex",
            Self::Semaphore(_) => "semaphore",
            Self::Event(_) => "event",
            Self::Latch(_) => "latch",
            Self::Barrier(_) => "barrier",
            Self::Channel(_) => "channel",
            Self::Processor(_) => "processor",
            Self::Registry(_) => "registry",
            Self::Lease(_) => "lease",
        }
    }

    /// Acts if that need not wait, and says what it gives: what is received, 1 or 0 for what was done or
    /// refused, else 0. `None`: it has to wait, or must not be done here; the object is as it was.
    ///
    /// # Panics
    /// If the action is not one of this kind of object.
    pub fn perform(&mut self, caller: Caller, action: Action) -> Option<i64> {
        match (self, action) {
            (Self::Mutex(mutex), Action::Lock) => mutex.lock(caller.task),
            (Self::Mutex(mutex), Action::Unlock) => mutex.unlock(),
            (Self::Semaphore(semaphore), Action::Acquire) => semaphore.acquire(),
            (Self::Semaphore(semaphore), Action::Release) => semaphore.release(),
            (Self::Event(event), Action::SetEvent) => event.put(true),
            (Self::Event(event), Action::ResetEvent) => event.put(false),
            (Self::Event(event), Action::WaitEvent) => event.wait(),
            (Self::Latch(latch), Action::LatchArrive) => latch.arrive(),
            (Self::Latch(latch), Action::LatchWait) => latch.wait(),
            (Self::Barrier(barrier), Action::BarrierArrive) => barrier.arrive(caller.task),
            (Self::Barrier(barrier), Action::BarrierWait) => barrier.wait(caller.task),
            (Self::Channel(channel), Action::Send(value)) => channel.send(value),
            (Self::Channel(channel), Action::Receive) => channel.receive(),
            (Self::Channel(channel), Action::Close) => channel.close(),
            (Self::Processor(processor), Action::Enter) => processor.enter(caller.thread),
            (Self::Processor(processor), Action::Leave) => processor.leave(caller.thread),
            (Self::Registry(registry), action) => Some(registry.perform(action)),
            (Self::Lease(lease), action) => Some(lease.perform(action)),
            (object, action) => unreachable!("{action:?} of {object}"),
        }
    }

    /// Acts in a way that gives `result`, or any result if that is not known. Whether it can; if not, the
    /// object is no longer of use.
    pub fn explain(&mut self, caller: Caller, action: Action, result: Option<i64>, effect: Effect) -> bool {
        if let Self::Lease(lease) = self
            && effect != Effect::Told
        {
            return lease.unsure(action, effect);
        }
        if let (Self::Processor(processor), Action::Enter, Some(0)) = (&*self, action, result) {
            return processor.may_refuse(caller.thread);
        }
        self.perform(caller, action).is_some_and(|gave| result.is_none_or(|result| gave == result))
    }

    /// Where an action on this object may take effect.
    #[must_use]
    pub fn moment(&self, action: Action) -> Moment {
        match action {
            Action::Unlock | Action::Release | Action::LatchArrive => Moment::Call,
            Action::Lock | Action::Acquire | Action::LatchWait => Moment::Return,
            _ => Moment::Any,
        }
    }

    /// Whether the order of overlapping actions never matters, since each has its best [`Moment`].
    #[must_use]
    pub fn is_monotone(&self) -> bool {
        matches!(self, Self::Mutex(_) | Self::Semaphore(_) | Self::Latch(_))
    }

    /// Whether an action that gives this changes nothing, whatever the object is. If the result is not known,
    /// whether that holds of all results.
    #[must_use]
    pub fn only_reads(&self, action: Action, result: Option<i64>) -> bool {
        match action {
            // One that never returned may as well have come too late for a set that was taken back.
            Action::WaitEvent => {
                result.is_some() && matches!(self, Self::Event(event) if event.reset() == EventReset::Manual)
            }
            Action::BarrierWait
            | Action::ArcStatus(_)
            | Action::ActiveArcs
            | Action::ProcessArcs
            | Action::LeaseHolder
            | Action::RefreshLease(_) => true,
            Action::Receive => result == Some(CLOSED),
            Action::ProgressArc(_) => result == Some(registry::NO_ARC),
            Action::Send(_)
            | Action::Enter
            | Action::StartArc(_)
            | Action::CompleteArc(_)
            | Action::CancelArc(_)
            | Action::AcquireLease(_)
            | Action::ReleaseLease(_)
            | Action::CleanupStale(_) => result == Some(0),
            _ => false,
        }
    }
}

impl Clone for Object {
    fn clone(&self) -> Self {
        match self {
            Self::Mutex(object) => Self::Mutex(*object),
            Self::Semaphore(object) => Self::Semaphore(*object),
            Self::Event(object) => Self::Event(*object),
            Self::Latch(object) => Self::Latch(*object),
            Self::Barrier(object) => Self::Barrier(object.clone()),
            Self::Channel(object) => Self::Channel(object.clone()),
            Self::Processor(object) => Self::Processor(*object),
            Self::Registry(object) => Self::Registry(object.clone()),
            Self::Lease(object) => Self::Lease(*object),
        }
    }

    /// Keeps what the old value had allocated: the history oracle copies objects all the time.
    fn clone_from(&mut self, source: &Self) {
        match (self, source) {
            (Self::Barrier(object), Self::Barrier(source)) => object.clone_from(source),
            (Self::Channel(object), Self::Channel(source)) => object.clone_from(source),
            (Self::Registry(object), Self::Registry(source)) => object.clone_from(source),
            (object, source) => *object = source.clone(),
        }
    }
}

/// The object's kind and how it is, for people.
impl Display for Object {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mutex(mutex) => mutex.fmt(formatter),
            Self::Semaphore(semaphore) => semaphore.fmt(formatter),
            Self::Event(event) => event.fmt(formatter),
            Self::Latch(latch) => latch.fmt(formatter),
            Self::Barrier(barrier) => barrier.fmt(formatter),
            Self::Channel(channel) => channel.fmt(formatter),
            Self::Processor(processor) => processor.fmt(formatter),
            Self::Registry(registry) => registry.fmt(formatter),
            Self::Lease(lease) => lease.fmt(formatter),
        }
    }
}
