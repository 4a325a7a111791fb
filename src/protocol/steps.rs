//! The steps of an execution that is explained, in a file that outlives the process.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::Result;
use memmap2::MmapRaw;

use super::asides::{self, MAX_ASIDES};
use super::mapped;
use crate::model::execution::{Aside, Object, Step, Value};
use crate::model::op::OpKind;

/// Steps that are kept: the first ones.
pub const MAX_STEPS: usize = 100_000;
/// Calls on the stack that are kept of a step, the innermost ones of the program's own.
pub const MAX_FRAMES: usize = 16;

/// A step as it lies in the file: words, so that every pattern of bytes is one.
const FIRST_FRAME: usize = 8;
const WORDS: usize = FIRST_FRAME + 2 * MAX_FRAMES;
type Record = [u64; WORDS];

/// Says that there is no value.
const NO_VALUE: u64 = u64::MAX;

/// Bytes before the steps: how many there are, and how many asides.
const HEAD: usize = 2 * size_of::<u64>();
/// Where the asides begin.
const ASIDES: usize = HEAD + MAX_STEPS * size_of::<Record>();

/// A mapped file with room for the steps of one execution, and for what happened beside them.
pub struct Steps {
    // Invariant: maps two words, which count them, MAX_STEPS records behind those, and MAX_ASIDES records of asides.
    map: MmapRaw,
}

impl Steps {
    /// Creates the file, with nothing in it.
    ///
    /// # Errors
    /// The file cannot be created, sized or mapped.
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self { map: mapped::create(path, ASIDES + MAX_ASIDES * size_of::<asides::Record>())? })
    }

    /// Puts the step of this number there.
    pub fn put(&mut self, number: usize, step: &Step) {
        if number >= MAX_STEPS {
            return;
        }
        // SAFETY: within the mapping, which is aligned for words, and ours alone while the process lives.
        unsafe {
            let first = self.map.as_mut_ptr().cast::<u64>();
            first.byte_add(HEAD).cast::<Record>().add(number).write(record(step));
            first.write_volatile((number as u64 + 1).max(first.read_volatile()));
        }
    }

    /// Adds what happened beside the steps, after those before it.
    pub fn put_aside(&mut self, aside: &Aside) {
        // SAFETY: as in `put`; the count is below MAX_ASIDES, since nobody else changes it.
        unsafe {
            let count = self.map.as_mut_ptr().cast::<u64>().add(1);
            let number = count.read_volatile();
            if number < MAX_ASIDES as u64 {
                let records = self.map.as_mut_ptr().byte_add(ASIDES).cast::<asides::Record>();
                records.add(number as usize).write(asides::record(aside));
                count.write_volatile(number + 1);
            }
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
    record[7] = step.older.into();
    for (index, frame) in step.frames.iter().take(MAX_FRAMES).enumerate() {
        record[FIRST_FRAME + index] = *frame;
        record[FIRST_FRAME + MAX_FRAMES + index] = step.stack.get(index).copied().unwrap_or_default();
    }
    record
}

fn step(record: &Record) -> Option<Step> {
    let [first, object, runnable, size, before, after, point, older, ..] = *record;
    let count = (first >> 32) as usize;
    let frames = record.get(FIRST_FRAME..FIRST_FRAME + count)?.to_vec();
    let stack = record.get(FIRST_FRAME + MAX_FRAMES..FIRST_FRAME + MAX_FRAMES + count)?.to_vec();
    let object = match first >> 24 & 0xff {
        0 => Object::Nothing,
        1 => Object::Thread(object as u16),
        2 => Object::Variable(object),
        _ => Object::Memory(object),
    };
    let value = (size != NO_VALUE).then_some(Value { size: size as u8, before, after });
    let (thread, kind) = (first as u16, OpKind::of_number((first >> 16) as u8)?);
    Some(Step { thread, kind, object, runnable, point, frames, stack, value, older: older as u16 })
}

/// What is in the file of a process that has ended; nothing if it kept no steps.
#[must_use]
pub fn read(path: &Path) -> (Vec<Step>, Vec<Aside>) {
    let Ok(file) = File::open(path) else { return Default::default() };
    let [steps, asides] = words(&file, 0, 1).next().unwrap_or_default();
    let steps = words(&file, HEAD, steps).map_while(|record| step(&record)).collect();
    (steps, words(&file, ASIDES, asides).map_while(|record| asides::aside(&record)).collect())
}

/// So many records of words from a place in the file on; fewer if that is shorter. Most of it was never written to.
fn words<const COUNT: usize>(file: &File, at: usize, count: u64) -> impl Iterator<Item = [u64; COUNT]> {
    let mut bytes = vec![0; (count as usize).min(MAX_STEPS.max(MAX_ASIDES)) * COUNT * size_of::<u64>()];
    if file.read_exact_at(&mut bytes, at as u64).is_err() {
        bytes.clear();
    }
    let words: Vec<u64> = bytes
        .chunks_exact(size_of::<u64>())
        .map(|word| word.try_into().map(u64::from_ne_bytes).unwrap_or_default())
        .collect();
    let records: Vec<[u64; COUNT]> = words.chunks_exact(COUNT).filter_map(|words| words.try_into().ok()).collect();
    records.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::execution::Happened;

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
            older: 0,
        };
        let mut steps = vec![
            step(OpKind::Exit, Object::Nothing),
            Step { value, ..step(OpKind::Store, Object::Variable(0x33a8)) },
            step(OpKind::ThreadJoin, Object::Thread(1)),
            step(OpKind::PlainLoad, Object::Memory(u64::MAX)),
        ];
        let mut file = Steps::create(&path).expect("made");
        let nothing = (vec![], vec![]);
        assert_eq!(read(&path), nothing);
        steps.iter().enumerate().for_each(|(number, step)| file.put(number, step));
        assert_eq!(read(&path), (steps.clone(), vec![]));
        steps[1].value = None;
        file.put(1, &steps[1]);
        assert_eq!(read(&path).0, steps, "what is known later comes in its place");
        let asides = [Happened::Blocked(1, "sem_wait".to_owned()), Happened::Unblocked(1)];
        let asides = asides.map(|what| Aside { step: 2, what });
        asides.iter().for_each(|aside| file.put_aside(aside));
        assert_eq!(read(&path), (steps, asides.to_vec()));
        assert_eq!(read(&directory.path().join("other")), nothing);
    }
}
