//! Calls into the systems beside the scheduler: processors with one owner, contexts, registries, leases.
//!
//! None of them suspends the task. What they give depends on order, so it is recorded, and never mixed
//! into the accumulator.

use super::model::{AccessChecks, ObjectId};

/// An agent, as registries and leases know it.
pub type Agent = u32;

/// Agents: below.
pub const MAX_AGENTS: Agent = 1 << 16;

/// A pair of agents, the key of an arc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    pub a: Agent,
    pub b: Agent,
}

/// What runs inside a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    Plain = 0,
    /// Resumes the same processor from inside.
    Nested = 1,
    /// Throws, after which the processor must be free again. The task catches it.
    Throwing = 2,
    /// Hands the processor to a new thread and waits for that, which resumes it as well. Where accesses are
    /// checked, it is refused.
    HandingOver = 3,
}

impl Body {
    /// How deep it comes to be in a processor that checks or does not.
    #[must_use]
    pub fn levels(self, checks: AccessChecks) -> i64 {
        match (self, checks) {
            (Self::Plain | Self::Throwing, _) | (Self::HandingOver, AccessChecks::On) => 1,
            (Self::Nested, _) | (Self::HandingOver, AccessChecks::Off) => 2,
        }
    }
}

/// The operations on systems. "Gives" is the value of the event of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Enters a processor, runs the body and leaves. Gives 1, or 0 if another thread owned it. Inside, each
    /// level records `Entered` and `Leaving`; that of another thread is recorded by this one.
    Resume(ObjectId, Body),
    /// Begins a branch on an engine; the branch ends with `EndBranch`. Between, the task stays on its thread.
    BeginBranch(ObjectId),
    /// Makes an engine here and begins a branch on it, inside whatever branch there is.
    NestBranch,
    /// Ends the innermost branch, and its engine if the branch was begun by `NestBranch`.
    EndBranch,
    /// Gives what the context of the innermost branch holds: 0 if it is fresh.
    GetContext,
    /// Puts a value into the context of the innermost branch.
    PutContext(i64),
    /// Begins an arc. Gives 1, or 0 if there is an active one.
    StartArc(ObjectId, Pair),
    /// Moves an active arc to its next phase and gives that, from 1; or -1 if there is no active one.
    ProgressArc(ObjectId, Pair),
    /// Ends an active arc. Gives 1, or 0 if there is none.
    CompleteArc(ObjectId, Pair),
    /// As `CompleteArc`, but the arc is cancelled.
    CancelArc(ObjectId, Pair),
    /// Gives [`ArcState::status`] of the pair's latest arc, or -1 if there was none.
    ArcStatus(ObjectId, Pair),
    /// Gives the number of active arcs.
    ActiveArcs(ObjectId),
    /// Visits the active arcs. Gives [`visited`] of them.
    ProcessArcs(ObjectId),
    /// Takes a free lease. Gives 1, or 0 if somebody holds it.
    AcquireLease(ObjectId, Agent),
    /// Renews a lease. Gives 1, or 0 if the agent does not hold it.
    RefreshLease(ObjectId, Agent),
    /// Gives a lease back. Gives 1, or 0 if the agent does not hold it.
    ReleaseLease(ObjectId, Agent),
    /// Gives the agent that holds the lease, or -1.
    LeaseHolder(ObjectId),
    /// Removes a lease that was not renewed for so many microseconds. Gives 1, or 0 if there was nothing to remove.
    CleanupStale(ObjectId, u32),
}

/// What a call on files gives when an operation on files failed.
pub const FILE_ERROR: i64 = -2;

/// The state of an arc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArcState {
    Active,
    Completed,
    Cancelled,
}

impl ArcState {
    /// State and phase in one number, as events carry it.
    #[must_use]
    pub fn status(self, phase: u32) -> i64 {
        i64::from(phase) * 4 + self as i64
    }
}

/// The arcs that `ProcessArcs` visits, by pair and phase in the order of pairs, in one number.
#[must_use]
pub fn visited(arcs: impl IntoIterator<Item = (Pair, u32)>) -> i64 {
    arcs.into_iter().fold(0, |seen, (pair, phase)| {
        super::mix(super::mix(seen, i64::from(pair.a) << 16 | i64::from(pair.b)), i64::from(phase))
    })
}

/// What happened to an arc, as the value of a `Callback` event tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArcEvent {
    Started,
    Progressed,
    Completed,
    Cancelled,
}

impl ArcEvent {
    /// Pair and event in one number.
    #[must_use]
    pub fn of(self, pair: Pair) -> i64 {
        (i64::from(pair.a) << 16 | i64::from(pair.b)) * 4 + self as i64
    }
}

impl Call {
    /// What its object is, with its index; `None` if it is about the innermost branch.
    #[must_use]
    pub fn object(&self) -> Option<(System, ObjectId)> {
        match *self {
            Self::Resume(id, _) => Some((System::Processor, id)),
            Self::BeginBranch(id) => Some((System::Engine, id)),
            Self::NestBranch | Self::EndBranch | Self::GetContext | Self::PutContext(_) => None,
            Self::StartArc(id, _)
            | Self::ProgressArc(id, _)
            | Self::CompleteArc(id, _)
            | Self::CancelArc(id, _)
            | Self::ArcStatus(id, _)
            | Self::ActiveArcs(id)
            | Self::ProcessArcs(id) => Some((System::Registry, id)),
            Self::AcquireLease(id, _)
            | Self::RefreshLease(id, _)
            | Self::ReleaseLease(id, _)
            | Self::LeaseHolder(id)
            | Self::CleanupStale(id, _) => Some((System::Lease, id)),
        }
    }

    /// The same, on the object of another index.
    pub fn object_mut(&mut self) -> Option<&mut ObjectId> {
        match self {
            Self::NestBranch | Self::EndBranch | Self::GetContext | Self::PutContext(_) => None,
            Self::Resume(id, _)
            | Self::BeginBranch(id)
            | Self::StartArc(id, _)
            | Self::ProgressArc(id, _)
            | Self::CompleteArc(id, _)
            | Self::CancelArc(id, _)
            | Self::ArcStatus(id, _)
            | Self::ActiveArcs(id)
            | Self::ProcessArcs(id)
            | Self::AcquireLease(id, _)
            | Self::RefreshLease(id, _)
            | Self::ReleaseLease(id, _)
            | Self::LeaseHolder(id)
            | Self::CleanupStale(id, _) => Some(id),
        }
    }

    /// Its number among the calls; the C++ side has the same order.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Resume(..) => 0,
            Self::BeginBranch(_) => 1,
            Self::NestBranch => 2,
            Self::EndBranch => 3,
            Self::GetContext => 4,
            Self::PutContext(_) => 5,
            Self::StartArc(..) => 6,
            Self::ProgressArc(..) => 7,
            Self::CompleteArc(..) => 8,
            Self::CancelArc(..) => 9,
            Self::ArcStatus(..) => 10,
            Self::ActiveArcs(_) => 11,
            Self::ProcessArcs(_) => 12,
            Self::AcquireLease(..) => 13,
            Self::RefreshLease(..) => 14,
            Self::ReleaseLease(..) => 15,
            Self::LeaseHolder(_) => 16,
            Self::CleanupStale(..) => 17,
        }
    }
}

/// The kinds of object that calls are made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum System {
    Processor,
    Engine,
    Registry,
    Lease,
}

impl System {
    /// As messages name it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Processor => "processor",
            Self::Engine => "engine",
            Self::Registry => "registry",
            Self::Lease => "lease",
        }
    }
}
