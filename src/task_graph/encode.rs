//! Task graphs as bytes: the compact form that corpora keep. [`super::text`] is the one for people.

mod bytes;
mod operation;

pub use bytes::{Reader, Undecodable, Writer};

use operation::{decode_operation, encode_operation};

use super::validate::{MAX_OBJECTS, MAX_OPERATIONS, MAX_TASKS, validate};
use super::{AccessChecks, Affinity, EventReset, Injections, Objects, ResultKind, Task, TaskGraph};

/// The flag beside those of [`Injection`] that says that the number of an allocation follows.
const FAILING_ALLOCATION: u64 = 1 << 15;

/// Writes a task graph.
pub fn encode(graph: &TaskGraph, writer: &mut Writer) {
    let TaskGraph { objects, injections, tasks } = graph;
    encode_objects(objects, writer);
    writer.number(injections.bits() | if injections.failing_allocation.is_some() { FAILING_ALLOCATION } else { 0 });
    if let Some(number) = injections.failing_allocation {
        writer.number(number);
    }
    writer.length(tasks.len());
    for task in tasks {
        writer.number((task.result as u8) << 1 | task.affinity as u8);
        writer.length(task.operations.len());
        for operation in &task.operations {
            encode_operation(operation, writer);
        }
    }
}

/// Reads a task graph and checks that it is valid.
///
/// # Errors
/// What is wrong, and where.
pub fn decode(reader: &mut Reader<'_>) -> Result<TaskGraph, Undecodable> {
    let objects = decode_objects(reader)?;
    let injections = decode_injections(reader)?;
    let tasks = reader.list(MAX_TASKS, |reader| {
        let kind = reader.number()?;
        let result = match kind >> 1 {
            0 => ResultKind::Int,
            1 => ResultKind::Unique,
            2 => ResultKind::Void,
            _ => return Err(reader.wrong("no kind of task")),
        };
        let operations = reader.list(MAX_OPERATIONS, decode_operation)?;
        Ok(Task { affinity: affinity_of(kind & 1), result, operations })
    })?;
    let graph = TaskGraph { objects, injections, tasks };
    validate(&graph).map_err(Undecodable::Invalid)?;
    Ok(graph)
}

fn encode_objects(objects: &Objects, writer: &mut Writer) {
    writer.number(objects.mutexes);
    writer.numbers(&objects.semaphores);
    writer.length(objects.events.len());
    for event in &objects.events {
        writer.number(u8::from(*event == EventReset::Auto));
    }
    writer.numbers(&objects.latches);
    writer.numbers(&objects.barriers);
    writer.numbers(&objects.channels);
    writer.length(objects.processors.len());
    for checks in &objects.processors {
        writer.number(u8::from(*checks == AccessChecks::Off));
    }
    for count in [objects.engines, objects.registries, objects.leases] {
        writer.number(count);
    }
}

fn decode_objects(reader: &mut Reader<'_>) -> Result<Objects, Undecodable> {
    let bit = |reader: &mut Reader<'_>| match reader.number()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(reader.wrong("neither 0 nor 1")),
    };
    Ok(Objects {
        mutexes: reader.short()?,
        semaphores: reader.numbers()?,
        events: reader
            .list(MAX_OBJECTS, |reader| Ok(if bit(reader)? { EventReset::Auto } else { EventReset::Manual }))?,
        latches: reader.numbers()?,
        barriers: reader.numbers()?,
        channels: reader.numbers()?,
        processors: reader
            .list(MAX_OBJECTS, |reader| Ok(if bit(reader)? { AccessChecks::Off } else { AccessChecks::On }))?,
        engines: reader.short()?,
        registries: reader.short()?,
        leases: reader.short()?,
    })
}

fn decode_injections(reader: &mut Reader<'_>) -> Result<Injections, Undecodable> {
    let flags = reader.number()?;
    let injections = Injections::from_bits(flags & !FAILING_ALLOCATION);
    let injections = injections.ok_or_else(|| reader.wrong("an unknown injection"))?;
    if flags & FAILING_ALLOCATION == 0 {
        return Ok(injections);
    }
    match reader.number()? {
        0 => Err(reader.wrong("allocation 0; they are counted from 1")),
        number => Ok(injections.with_failing_allocation(Some(number))),
    }
}

fn affinity_of(bit: u64) -> Affinity {
    if bit == 0 { Affinity::Main } else { Affinity::Worker }
}
