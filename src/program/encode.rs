//! Programs as bytes: the compact form that corpora keep. [`super::text`] is the one for people.
//!
//! Numbers are LEB128 of 7 bits a byte, signed ones in zigzag. Every operation has a number here that it keeps for
//! ever: a new operation takes a new number, so that no program of a corpus comes to mean another one.

use std::fmt;

use super::call::{Body, Call, Pair};
use super::validate::{Invalid, MAX_OBJECTS, MAX_OPERATIONS, MAX_TASKS, validate};
use super::{AccessChecks, Affinity, EventReset, Injections, Objects, Operation, Program, ResultKind, Task};
use crate::schedule::Injection;

/// The flag beside those of [`Injection`] that says that the number of an allocation follows.
const FAILING_ALLOCATION: u64 = 1 << 15;
/// Operations on systems have the number of the call and this.
const CALLS: u64 = 64;

/// Bytes that are no program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undecodable {
    /// They end where more must come.
    CutOff,
    /// What is at this place, counted from 0, cannot stand there.
    Wrong { place: usize, what: &'static str },
    /// They hold a program that is not valid.
    Invalid(Invalid),
}

impl fmt::Display for Undecodable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutOff => formatter.write_str("it ends too early; it was cut off"),
            Self::Wrong { place, what } => write!(formatter, "byte {place}: {what}"),
            Self::Invalid(invalid) => write!(formatter, "its program is not valid: {invalid}"),
        }
    }
}

impl std::error::Error for Undecodable {}

/// Appends numbers to bytes.
#[derive(Debug, Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    pub fn number(&mut self, value: impl Into<u64>) {
        let mut left = value.into();
        while left >= 0x80 {
            self.0.push(left as u8 | 0x80);
            left >>= 7;
        }
        self.0.push(left as u8);
    }

    fn signed(&mut self, value: i64) {
        self.number((value << 1 ^ value >> 63) as u64);
    }

    fn length(&mut self, length: usize) {
        self.number(length as u64);
    }

    fn numbers(&mut self, values: &[u32]) {
        self.length(values.len());
        for &value in values {
            self.number(value);
        }
    }
}

/// Takes numbers off bytes.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from `place` on.
    #[must_use]
    pub fn new(bytes: &'a [u8], place: usize) -> Self {
        Self { bytes, place }
    }

    /// What is wrong with the byte before this place.
    #[must_use]
    pub fn wrong(&self, what: &'static str) -> Undecodable {
        Undecodable::Wrong { place: self.place.saturating_sub(1), what }
    }

    /// A number, in its shortest form.
    ///
    /// # Errors
    /// The bytes end, or the number has more than 64 bits or a longer form than it needs.
    pub fn number(&mut self) -> Result<u64, Undecodable> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.place).ok_or(Undecodable::CutOff)?;
            self.place += 1;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits || byte == 0 && shift > 0 {
                return Err(self.wrong("a number of more bits than it needs or fits"));
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.wrong("a number of more than 64 bits"))
    }

    /// A number of at most 32 bits.
    ///
    /// # Errors
    /// As [`Reader::number`], or it is larger.
    pub fn short(&mut self) -> Result<u32, Undecodable> {
        let value = self.number()?;
        u32::try_from(value).map_err(|_| self.wrong("a number of more than 32 bits"))
    }

    fn signed(&mut self) -> Result<i64, Undecodable> {
        let value = self.number()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// The length of a list of at most `most` elements, of which each takes a byte or more; so whoever makes room for
    /// them takes no more memory than a multiple of what the bytes take.
    ///
    /// # Errors
    /// It cannot be that long.
    pub fn length(&mut self, most: usize) -> Result<usize, Undecodable> {
        let length = self.number()?;
        if length > most as u64 {
            return Err(self.wrong("a list longer than any of its kind"));
        }
        if length > (self.bytes.len() - self.place) as u64 { Err(Undecodable::CutOff) } else { Ok(length as usize) }
    }

    fn list<T>(
        &mut self,
        most: usize,
        mut element: impl FnMut(&mut Self) -> Result<T, Undecodable>,
    ) -> Result<Vec<T>, Undecodable> {
        (0..self.length(most)?).map(|_| element(self)).collect()
    }

    fn numbers(&mut self) -> Result<Vec<u32>, Undecodable> {
        self.list(MAX_OBJECTS, Self::short)
    }

    /// Ends reading.
    ///
    /// # Errors
    /// There are bytes left.
    pub fn end(self) -> Result<(), Undecodable> {
        if self.place == self.bytes.len() {
            return Ok(());
        }
        Err(Undecodable::Wrong { place: self.place, what: "bytes after the end" })
    }
}

/// Writes a program.
pub fn encode(program: &Program, writer: &mut Writer) {
    let Program { objects, injections, tasks } = program;
    encode_objects(objects, writer);
    let flags = Injection::ALL.iter().filter(|&&injection| injections.allow(injection));
    let flags = flags.fold(0, |flags, &injection| flags | 1 << injection as u64);
    writer.number(flags | if injections.failing_allocation.is_some() { FAILING_ALLOCATION } else { 0 });
    if let Some(number) = injections.failing_allocation {
        writer.number(number);
    }
    writer.length(tasks.len());
    for task in tasks {
        let result = match task.result {
            ResultKind::Int => 0_u8,
            ResultKind::Unique => 1,
            ResultKind::Void => 2,
        };
        writer.number(result << 1 | affinity_bit(task.affinity));
        writer.length(task.operations.len());
        for operation in &task.operations {
            encode_operation(operation, writer);
        }
    }
}

/// Reads a program and checks that it is valid.
///
/// # Errors
/// What is wrong, and where.
pub fn decode(reader: &mut Reader<'_>) -> Result<Program, Undecodable> {
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
    let program = Program { objects, injections, tasks };
    validate(&program).map_err(Undecodable::Invalid)?;
    Ok(program)
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
    let mut flags = reader.number()?;
    let mut take = |flag: u64| {
        let is_set = flags & flag != 0;
        flags &= !flag;
        is_set
    };
    let mut allows = |injection: Injection| take(1 << injection as u64);
    let mut injections = Injections {
        eio: allows(Injection::Eio),
        enospc: allows(Injection::Enospc),
        short_write: allows(Injection::ShortWrite),
        crash: allows(Injection::Crash),
        spurious_wake_up: allows(Injection::SpuriousWakeUp),
        weak_failure: allows(Injection::WeakFailure),
        failing_allocation: None,
    };
    let failing = take(FAILING_ALLOCATION);
    if flags != 0 {
        return Err(reader.wrong("an unknown injection"));
    }
    if failing {
        injections.failing_allocation = match reader.number()? {
            0 => return Err(reader.wrong("allocation 0; they are counted from 1")),
            number => Some(number),
        };
    }
    Ok(injections)
}

fn affinity_bit(affinity: Affinity) -> u8 {
    match affinity {
        Affinity::Main => 0,
        Affinity::Worker => 1,
    }
}

fn affinity_of(bit: u64) -> Affinity {
    if bit == 0 { Affinity::Main } else { Affinity::Worker }
}

/// The number of what an operation does, whatever it is on.
#[must_use]
pub fn code(operation: &Operation) -> u64 {
    let mut writer = Writer::default();
    encode_operation(operation, &mut writer);
    Reader::new(&writer.0, 0).number().unwrap_or_default()
}

fn encode_operation(operation: &Operation, writer: &mut Writer) {
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

fn decode_operation(reader: &mut Reader<'_>) -> Result<Operation, Undecodable> {
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
