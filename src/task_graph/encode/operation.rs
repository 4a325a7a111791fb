//! Operations as bytes. Each has a number here that it keeps for ever: a new operation takes a new number, so that no
//! task graph of a corpus comes to mean another one.

use super::bytes::{Reader, Undecodable, Writer};
use super::{affinity_bit, affinity_of};
use crate::task_graph::Operation;
use crate::task_graph::call::{Body, Call, Pair};
use crate::task_graph::validate::MAX_TASKS;

/// Operations on systems have the number of the call and this.
const CALLS: u64 = 64;

/// The number of what an operation does, whatever it is on.
#[must_use]
pub fn code(operation: &Operation) -> u64 {
    let mut writer = Writer::default();
    encode_operation(operation, &mut writer);
    Reader::new(&writer.0, 0).number().unwrap_or_default()
}

/// Writes an operation.
pub fn encode_operation(operation: &Operation, writer: &mut Writer) {
    let mut one = |number: u8, value: u32| {
        writer.number(number);
        writer.number(value);
    };
    match *operation {
        Operation::Await(child) => one(1, child),
        Operation::AwaitCatch(child) => one(2, child),
        Operation::Start(child) => one(5, child),
        Operation::Join(child) => one(6, child),
        Operation::Detach(child) => one(7, child),
        Operation::Hop(affinity) => one(8, affinity_bit(affinity).into()),
        Operation::Sleep(time) => one(10, time),
        Operation::Throw(code) => one(11, code),
        Operation::Cancel(child) => one(12, child),
        Operation::Lock(id) => one(14, id),
        Operation::Unlock(id) => one(15, id),
        Operation::Acquire(id) => one(16, id),
        Operation::Release(id) => one(17, id),
        Operation::SetEvent(id) => one(18, id),
        Operation::ResetEvent(id) => one(19, id),
        Operation::WaitEvent(id) => one(20, id),
        Operation::LatchArrive(id) => one(21, id),
        Operation::LatchWait(id) => one(22, id),
        Operation::BarrierArrive(id) => one(23, id),
        Operation::BarrierWait(id) => one(24, id),
        Operation::Receive(id) => one(26, id),
        Operation::Close(id) => one(27, id),
        Operation::Yield => writer.number(9_u8),
        Operation::CheckCancel => writer.number(13_u8),
        Operation::Compute(value) => {
            writer.number(0_u8);
            writer.signed(value);
        }
        Operation::Send(id, value) => {
            one(25, id);
            writer.signed(value);
        }
        Operation::WhenAll(ref children) => {
            writer.number(3_u8);
            writer.numbers(children);
        }
        Operation::WhenAny(ref children) => {
            writer.number(4_u8);
            writer.numbers(children);
        }
        Operation::Call(ref call) => encode_call(call, writer),
    }
}

/// Reads an operation.
///
/// # Errors
/// It is none.
pub fn decode_operation(reader: &mut Reader<'_>) -> Result<Operation, Undecodable> {
    Ok(match reader.number()? {
        0 => Operation::Compute(reader.signed()?),
        1 => Operation::Await(reader.short()?),
        2 => Operation::AwaitCatch(reader.short()?),
        3 => Operation::WhenAll(reader.list(MAX_TASKS, Reader::short)?),
        4 => Operation::WhenAny(reader.list(MAX_TASKS, Reader::short)?),
        5 => Operation::Start(reader.short()?),
        6 => Operation::Join(reader.short()?),
        7 => Operation::Detach(reader.short()?),
        8 => match reader.number()? {
            bit @ 0..=1 => Operation::Hop(affinity_of(bit)),
            _ => return Err(reader.wrong("no affinity")),
        },
        9 => Operation::Yield,
        10 => Operation::Sleep(reader.short()?),
        11 => Operation::Throw(reader.short()?),
        12 => Operation::Cancel(reader.short()?),
        13 => Operation::CheckCancel,
        14 => Operation::Lock(reader.short()?),
        15 => Operation::Unlock(reader.short()?),
        16 => Operation::Acquire(reader.short()?),
        17 => Operation::Release(reader.short()?),
        18 => Operation::SetEvent(reader.short()?),
        19 => Operation::ResetEvent(reader.short()?),
        20 => Operation::WaitEvent(reader.short()?),
        21 => Operation::LatchArrive(reader.short()?),
        22 => Operation::LatchWait(reader.short()?),
        23 => Operation::BarrierArrive(reader.short()?),
        24 => Operation::BarrierWait(reader.short()?),
        25 => Operation::Send(reader.short()?, reader.signed()?),
        26 => Operation::Receive(reader.short()?),
        27 => Operation::Close(reader.short()?),
        number => match number.checked_sub(CALLS) {
            Some(call) => Operation::Call(decode_call(call, reader)?),
            None => return Err(reader.wrong("an unknown operation")),
        },
    })
}

fn encode_call(call: &Call, writer: &mut Writer) {
    let mut with = |number: u64, values: &[u32]| {
        writer.number(CALLS + number);
        for &value in values {
            writer.number(value);
        }
    };
    match *call {
        Call::Resume(id, body) => {
            let body = match body {
                Body::Plain => 0,
                Body::Nested => 1,
                Body::Throwing => 2,
                Body::HandingOver => 3,
            };
            with(0, &[id, body]);
        }
        Call::BeginBranch(id) => with(1, &[id]),
        Call::NestBranch => with(2, &[]),
        Call::EndBranch => with(3, &[]),
        Call::GetContext => with(4, &[]),
        Call::PutContext(value) => {
            with(5, &[]);
            writer.signed(value);
        }
        Call::StartArc(id, Pair { a, b }) => with(6, &[id, a, b]),
        Call::ProgressArc(id, Pair { a, b }) => with(7, &[id, a, b]),
        Call::CompleteArc(id, Pair { a, b }) => with(8, &[id, a, b]),
        Call::CancelArc(id, Pair { a, b }) => with(9, &[id, a, b]),
        Call::ArcStatus(id, Pair { a, b }) => with(10, &[id, a, b]),
        Call::ActiveArcs(id) => with(11, &[id]),
        Call::ProcessArcs(id) => with(12, &[id]),
        Call::AcquireLease(id, agent) => with(13, &[id, agent]),
        Call::RefreshLease(id, agent) => with(14, &[id, agent]),
        Call::ReleaseLease(id, agent) => with(15, &[id, agent]),
        Call::LeaseHolder(id) => with(16, &[id]),
        Call::CleanupStale(id, time) => with(17, &[id, time]),
    }
}

fn decode_call(number: u64, reader: &mut Reader<'_>) -> Result<Call, Undecodable> {
    let pair = |reader: &mut Reader<'_>| Ok(Pair { a: reader.short()?, b: reader.short()? });
    Ok(match number {
        0 => {
            let id = reader.short()?;
            let body = match reader.number()? {
                0 => Body::Plain,
                1 => Body::Nested,
                2 => Body::Throwing,
                3 => Body::HandingOver,
                _ => return Err(reader.wrong("no body of a processor")),
            };
            Call::Resume(id, body)
        }
        1 => Call::BeginBranch(reader.short()?),
        2 => Call::NestBranch,
        3 => Call::EndBranch,
        4 => Call::GetContext,
        5 => Call::PutContext(reader.signed()?),
        6 => Call::StartArc(reader.short()?, pair(reader)?),
        7 => Call::ProgressArc(reader.short()?, pair(reader)?),
        8 => Call::CompleteArc(reader.short()?, pair(reader)?),
        9 => Call::CancelArc(reader.short()?, pair(reader)?),
        10 => Call::ArcStatus(reader.short()?, pair(reader)?),
        11 => Call::ActiveArcs(reader.short()?),
        12 => Call::ProcessArcs(reader.short()?),
        13 => Call::AcquireLease(reader.short()?, reader.short()?),
        14 => Call::RefreshLease(reader.short()?, reader.short()?),
        15 => Call::ReleaseLease(reader.short()?, reader.short()?),
        16 => Call::LeaseHolder(reader.short()?),
        17 => Call::CleanupStale(reader.short()?, reader.short()?),
        _ => return Err(reader.wrong("an unknown operation")),
    })
}
