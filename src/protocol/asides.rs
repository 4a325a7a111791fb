//! What happened beside the steps, as it lies in the file of [`Steps`](super::Steps).

use crate::model::execution::{Aside, Event, EventKind, Happened};

/// Asides that are kept: the first ones.
pub const MAX_ASIDES: usize = 100_000;
/// Words for the name of what a thread waits in, which is cut off where it is longer.
const NAME_WORDS: usize = 5;

/// An aside in words, so that every pattern of bytes is one.
pub(super) const WORDS: usize = 3 + NAME_WORDS;
pub(super) type Record = [u64; WORDS];

const RECORDED: u64 = 0;
const BLOCKED: u64 = 1;
const UNBLOCKED: u64 = 2;

/// The second word: what it is, with the small numbers that belong to it.
fn head(tag: u64, kind: u8, thread: u16, operation: u16) -> u64 {
    tag | u64::from(kind) << 8 | u64::from(thread) << 16 | u64::from(operation) << 32
}

pub(super) fn record(aside: &Aside) -> Record {
    let mut record = [0; WORDS];
    record[0] = aside.step as u64;
    match &aside.what {
        Happened::Recorded(event) => {
            record[1] = head(RECORDED, event.kind as u8, event.thread, event.operation);
            record[2] = event.task.into();
            record[3] = event.value.cast_unsigned();
        }
        Happened::Blocked(thread, name) => {
            record[1] = head(BLOCKED, 0, *thread, 0);
            record[2] = name.len().min(NAME_WORDS * 8) as u64;
            for (word, bytes) in record[3..].iter_mut().zip(name.as_bytes().chunks(8)) {
                let mut whole = [0; 8];
                whole[..bytes.len()].copy_from_slice(bytes);
                *word = u64::from_le_bytes(whole);
            }
        }
        Happened::Unblocked(thread) => record[1] = head(UNBLOCKED, 0, *thread, 0),
    }
    record
}

pub(super) fn aside(record: &Record) -> Option<Aside> {
    let [step, head, third, value, ..] = *record;
    let thread = (head >> 16) as u16;
    let what = match head & 0xff {
        RECORDED => Happened::Recorded(Event {
            value: value.cast_signed(),
            task: third as u32,
            operation: (head >> 32) as u16,
            thread,
            kind: EventKind::of_number((head >> 8) as u8)?,
        }),
        BLOCKED => {
            let bytes: Vec<u8> = record[3..].iter().flat_map(|word| word.to_le_bytes()).collect();
            let name = bytes.get(..usize::try_from(third).ok()?)?;
            Happened::Blocked(thread, String::from_utf8_lossy(name).into_owned())
        }
        UNBLOCKED => Happened::Unblocked(thread),
        _ => return None,
    };
    Some(Aside { step: usize::try_from(step).ok()?, what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asides_are_read_as_they_were_written() {
        let event = Event { value: -3, task: 70_000, operation: 9, thread: 300, kind: EventKind::OperationFail };
        let asides = [
            Happened::Recorded(event),
            Happened::Blocked(4, "pthread_rwlock_timedwrlock".to_owned()),
            Happened::Blocked(5, String::new()),
            Happened::Unblocked(1023),
        ];
        for what in asides {
            let written = Aside { step: 7, what };
            assert_eq!(aside(&record(&written)), Some(written));
        }
        let long = Aside { step: 0, what: Happened::Blocked(0, "x".repeat(99)) };
        let Some(Aside { what: Happened::Blocked(0, name), .. }) = aside(&record(&long)) else { panic!("another") };
        assert_eq!(name, "x".repeat(40));
        assert_eq!(aside(&[u64::MAX; WORDS]), None, "damaged");
    }
}
