//! The steps of an execution that is explained, in a file that outlives the process.

use std::fs;
use std::path::Path;

use anyhow::Result;
use memmap2::MmapRaw;

use super::mapped;
use crate::model::execution::{Object, Step, Value};
use crate::model::op::OpKind;

/// Steps that are kept: the first ones.
pub const MAX_STEPS: usize = 100_000;
/// Calls on the stack that are kept of a step, the innermost ones of the program's own.
pub const MAX_FRAMES: usize = 16;

/// A step as it lies in the file: words, so that every pattern of bytes is one.
const WORDS: usize = 7 + 2 * MAX_FRAMES;
type Record = [u64; WORDS];

/// Says that there is no value.
const NO_VALUE: u64 = u64::MAX;

/// A mapped file with room for the steps of one execution.
pub struct Steps {
    // Invariant: maps a word, which counts the steps, and MAX_STEPS records behind it.
    map: MmapRaw,
}

impl Steps {
    /// Creates the file, with nothing in it.
    ///
    /// # Errors
    /// The file cannot be created, sized or mapped.
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self { map: mapped::create(path, size_of::<u64>() + MAX_STEPS * size_of::<Record>())? })
    }

    /// Puts the step of this number there.
    pub fn put(&mut self, number: usize, step: &Step) {
        if number >= MAX_STEPS {
            return;
        }
        // SAFETY: within the mapping, which is aligned for words, and ours alone while the process lives.
        unsafe {
            let first = self.map.as_mut_ptr().cast::<u64>();
            first.add(1 + number * WORDS).cast::<Record>().write(record(step));
            first.write_volatile((number as u64 + 1).max(first.read_volatile()));
        }
    }
}

fn record(step: &Step) -> Record {
    let mut record = [0; WORDS];
    let (tag, object) = match step.object {
        Object::Nothing => (0, 0),
        Object::Thread(thread) => (1, thread.into()),
        Object::Variable(offset) => (2, offset),
        Object::Memory(address) => (3, address),
    };
    record[0] = u64::from(step.thread) | (step.kind as u64) << 16 | tag << 24 | (step.frames.len() as u64) << 32;
    record[1] = object;
    record[2] = step.runnable;
    let value = step.value.map_or((NO_VALUE, 0, 0), |value| (value.size.into(), value.before, value.after));
    (record[3], record[4], record[5]) = value;
    record[6] = step.point;
    for (index, frame) in step.frames.iter().take(MAX_FRAMES).enumerate() {
        record[7 + index] = *frame;
        record[7 + MAX_FRAMES + index] = step.stack.get(index).copied().unwrap_or_default();
    }
    record
}

fn step(record: &Record) -> Option<Step> {
    let [first, object, runnable, size, before, after, point, ..] = *record;
    let count = (first >> 32) as usize;
    let frames = record.get(7..7 + count)?.to_vec();
    let stack = record.get(7 + MAX_FRAMES..7 + MAX_FRAMES + count)?.to_vec();
    let object = match first >> 24 & 0xff {
        0 => Object::Nothing,
        1 => Object::Thread(object as u16),
        2 => Object::Variable(object),
        _ => Object::Memory(object),
    };
    let value = (size != NO_VALUE).then_some(Value { size: size as u8, before, after });
    let (thread, kind) = (first as u16, OpKind::of_number((first >> 16) as u8)?);
    Some(Step { thread, kind, object, runnable, point, frames, stack, value })
}

/// What is in the file of a process that has ended; nothing if it kept no steps.
#[must_use]
pub fn read(path: &Path) -> Vec<Step> {
    let Ok(bytes) = fs::read(path) else { return Vec::new() };
    let word = |bytes: &[u8]| bytes.try_into().map(u64::from_ne_bytes).unwrap_or_default();
    let (count, rest) = bytes.split_at(size_of::<u64>().min(bytes.len()));
    let records = rest.chunks_exact(size_of::<Record>()).take(word(count) as usize);
    let read = |bytes: &[u8]| {
        let mut record = [0; WORDS];
        record.iter_mut().zip(bytes.chunks_exact(size_of::<u64>())).for_each(|(word_of, bytes)| *word_of = word(bytes));
        step(&record)
    };
    records.map_while(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_as_they_were_put() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("steps");
        let value = Some(Value { size: 4, before: 1, after: 2 });
        let step = |kind, object| Step {
            thread: 3,
            kind,
            object,
            runnable: 7,
            point: 9,
            frames: vec![0x10, 0x20],
            stack: vec![0x7f00, 0],
            value: None,
        };
        let mut steps = vec![
            step(OpKind::Exit, Object::Nothing),
            Step { value, ..step(OpKind::Store, Object::Variable(0x33a8)) },
            step(OpKind::ThreadJoin, Object::Thread(1)),
            step(OpKind::PlainLoad, Object::Memory(u64::MAX)),
        ];
        let mut file = Steps::create(&path).expect("made");
        assert_eq!(read(&path), []);
        steps.iter().enumerate().for_each(|(number, step)| file.put(number, step));
        assert_eq!(read(&path), steps);
        steps[1].value = None;
        file.put(1, &steps[1]);
        assert_eq!(read(&path), steps, "what is known later comes in its place");
        assert_eq!(read(&directory.path().join("other")), []);
    }
}
