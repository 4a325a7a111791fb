//! The numbers of operations, which each keeps for ever: a new operation takes a new number, so that no task graph of a corpus
//! comes to mean another one. cpp/harness/task_graph_spec.hpp has the same.

use super::Operation;

/// Operations on systems have the number of the call and this.
pub(super) const CALLS: u8 = 64;

impl Operation {
    /// The number of what it does, whatever it is on.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Compute(_) => 0,
            Self::Await(_) => 1,
            Self::AwaitCatch(_) => 2,
            Self::WhenAll(_) => 3,
            Self::WhenAny(_) => 4,
            Self::Start(_) => 5,
            Self::Join(_) => 6,
            Self::Detach(_) => 7,
            Self::Hop(_) => 8,
            Self::Yield => 9,
            Self::Sleep(_) => 10,
            Self::Throw(_) => 11,
            Self::Cancel(_) => 12,
            Self::CheckCancel => 13,
            Self::Lock(_) => 14,
            Self::Unlock(_) => 15,
            Self::Acquire(_) => 16,
            Self::Release(_) => 17,
            Self::SetEvent(_) => 18,
            Self::ResetEvent(_) => 19,
            Self::WaitEvent(_) => 20,
            Self::LatchArrive(_) => 21,
            Self::LatchWait(_) => 22,
            Self::BarrierArrive(_) => 23,
            Self::BarrierWait(_) => 24,
            Self::Send(..) => 25,
            Self::Receive(_) => 26,
            Self::Close(_) => 27,
            Self::Call(call) => CALLS + call.code(),
        }
    }

    /// What it is on: an object, a task, an affinity, a time or a failure code. Operations on several tasks or on systems,
    /// and those on nothing, have none.
    #[must_use]
    pub fn operand(&self) -> Option<u32> {
        match *self {
            Self::Await(operand)
            | Self::AwaitCatch(operand)
            | Self::Start(operand)
            | Self::Join(operand)
            | Self::Detach(operand)
            | Self::Sleep(operand)
            | Self::Throw(operand)
            | Self::Cancel(operand)
            | Self::Lock(operand)
            | Self::Unlock(operand)
            | Self::Acquire(operand)
            | Self::Release(operand)
            | Self::SetEvent(operand)
            | Self::ResetEvent(operand)
            | Self::WaitEvent(operand)
            | Self::LatchArrive(operand)
            | Self::LatchWait(operand)
            | Self::BarrierArrive(operand)
            | Self::BarrierWait(operand)
            | Self::Receive(operand)
            | Self::Close(operand)
            | Self::Send(operand, _) => Some(operand),
            Self::Hop(affinity) => Some(affinity as u32),
            Self::Compute(_)
            | Self::WhenAll(_)
            | Self::WhenAny(_)
            | Self::Yield
            | Self::CheckCancel
            | Self::Call(_) => None,
        }
    }
}
