//! Operations as bytes.

use super::affinity_of;
use super::bytes::{Reader, Undecodable, Writer};
use crate::task_graph::Operation;
use crate::task_graph::call::{Body, Call, Pair};
use crate::task_graph::code::CALLS;
use crate::task_graph::validate::MAX_TASKS;

/// Writes an operation: its number, then what it is on.
pub fn encode_operation(operation: &Operation, writer: &mut Writer) {
    writer.number(operation.code());
    if let Some(operand) = operation.operand() {
        writer.number(operand);
    }
    match operation {
        Operation::Compute(value) | Operation::Send(_, value) => writer.signed(*value),
        Operation::WhenAll(children) | Operation::WhenAny(children) => writer.numbers(children),
        Operation::Call(call) => encode_operands(call, writer),
        _ => {}
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
        number => match number.checked_sub(CALLS.into()) {
            Some(call) => Operation::Call(decode_call(call, reader)?),
            None => return Err(reader.wrong("an unknown operation")),
        },
    })
}

fn encode_operands(call: &Call, writer: &mut Writer) {
    match *call {
        Call::NestBranch | Call::EndBranch | Call::GetContext => {}
        Call::PutContext(value) => writer.signed(value),
        Call::BeginBranch(id) | Call::ActiveArcs(id) | Call::ProcessArcs(id) | Call::LeaseHolder(id) => {
            writer.number(id);
        }
        Call::Resume(id, body) => [id, body as u32].into_iter().for_each(|value| writer.number(value)),
        Call::StartArc(id, Pair { a, b })
        | Call::ProgressArc(id, Pair { a, b })
        | Call::CompleteArc(id, Pair { a, b })
        | Call::CancelArc(id, Pair { a, b })
        | Call::ArcStatus(id, Pair { a, b }) => [id, a, b].into_iter().for_each(|value| writer.number(value)),
        Call::AcquireLease(id, number)
        | Call::RefreshLease(id, number)
        | Call::ReleaseLease(id, number)
        | Call::CleanupStale(id, number) => [id, number].into_iter().for_each(|value| writer.number(value)),
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
