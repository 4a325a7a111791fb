//! Watches the scheduling points of an execution: who reads from whom, what passes from thread to thread, who waits in
//! what.

use super::pairs::Pairs;
use super::{Kind, counters, mix};
use crate::model::execution::ThreadId;
use crate::model::op::{Op, OpKind};

/// Objects of one execution that are told apart: at most. A power of 2; half of the slots stay empty.
const SLOTS: usize = 1 << 13;
const MOST_OBJECTS: usize = SLOTS / 2;
/// Stands for the address of all files together.
const FILES: usize = 1;
/// Objects are atomics and what locks, mostly of a word. Of a large block only the beginning is looked at.
const STEP: usize = 4;
const MOST_STEPS: usize = 1024;
/// The place of a write that none was made before.
const AT_FIRST: u64 = 0;

/// What happened last to an object.
#[derive(Clone, Copy)]
struct Object {
    address: usize,
    /// The execution that this is about; older slots are empty.
    execution: u32,
    /// Its memory was allocated anew, so nothing of this is about it.
    is_new: bool,
    /// The thread that used it last.
    user: ThreadId,
    writer: ThreadId,
    /// Where it was used last, and where it was written last.
    used: u64,
    written: u64,
}

/// Told of every operation of an execution, in the order in which they are made.
pub struct Observer {
    kinds: Vec<Kind>,
    reads_from: bool,
    hand_overs: bool,
    blocked: bool,
    execution: u32,
    objects: Box<[Object]>,
    count: usize,
    /// Who reads from whom in the execution, where its behaviour is asked for.
    pairs: Option<Pairs>,
}

impl Observer {
    /// It takes no memory later, since the threads of an execution share it.
    #[must_use]
    pub fn new(kinds: &[Kind]) -> Self {
        let empty = Object { address: 0, execution: 0, is_new: false, user: 0, writer: 0, used: 0, written: AT_FIRST };
        Self {
            kinds: kinds.to_vec(),
            reads_from: kinds.contains(&Kind::ReadsFrom),
            hand_overs: kinds.contains(&Kind::HandOvers),
            blocked: kinds.contains(&Kind::Blocked),
            execution: 0,
            objects: vec![empty; SLOTS].into(),
            count: 0,
            pairs: None,
        }
    }

    /// One that raises no counters, but tells the behaviours of executions apart.
    #[must_use]
    pub fn of_behaviours() -> Self {
        Self { pairs: Some(Pairs::new()), ..Self::new(&[]) }
    }

    /// Tells the behaviour of the execution apart, which is the set of its reads-from pairs.
    #[must_use]
    pub fn behaviour(&self) -> Option<u64> {
        self.pairs.as_ref().map(Pairs::digest)
    }

    /// The kinds that were asked for.
    #[must_use]
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// Whether it must be told of operations at all.
    #[must_use]
    pub fn watches_points(&self) -> bool {
        self.reads_from || self.hand_overs || self.pairs.is_some()
    }

    /// A new execution begins.
    pub fn begin(&mut self) {
        self.execution += 1;
        self.count = 0;
        if let Some(pairs) = &mut self.pairs {
            pairs.begin();
        }
    }

    /// `thread` makes an operation now.
    #[inline]
    pub fn made(&mut self, thread: ThreadId, made: &Op) {
        // Calls on files are on something that they share, whatever its address.
        let address = if made.kind == OpKind::File { FILES } else { made.object };
        if address == 0 || made.kind.is_of_threads() || self.count == MOST_OBJECTS {
            return;
        }
        let site = mix(made.place as u64, made.kind as u64 + 1);
        let slot = self.slot(address);
        let object = &mut self.objects[slot];
        if object.execution != self.execution || object.is_new {
            self.count += usize::from(object.execution != self.execution);
            *object = Object {
                address,
                execution: self.execution,
                is_new: false,
                user: thread,
                writer: thread,
                used: site,
                written: AT_FIRST,
            };
        }
        if made.kind.reads() && (self.reads_from || self.pairs.is_some()) {
            let pair = mix(mix(object.written, site), u64::from(object.writer != thread));
            if self.reads_from {
                counters::mark(Kind::ReadsFrom.counter(pair));
            }
            if let Some(pairs) = &mut self.pairs {
                pairs.add(pair);
            }
        }
        if self.hand_overs && object.user != thread {
            counters::add(Kind::HandOvers.counter(mix(object.used, site)));
        }
        object.user = thread;
        object.used = site;
        if made.kind.changes() {
            object.writer = thread;
            object.written = site;
        }
    }

    /// One more thread waits; these are the primitives of all that do.
    pub fn blocked(&mut self, primitives: impl Iterator<Item = &'static str>) {
        if self.blocked {
            // The same in whatever order.
            let shape = primitives.fold(0_u64, |shape, primitive| {
                shape.wrapping_add(crate::digest::fnv1a(crate::digest::BASIS, primitive.as_bytes()))
            });
            counters::mark(Kind::Blocked.counter(mix(shape, 0)));
        }
    }

    /// That memory was allocated: what was there before is another object, and which memory is used again is no matter
    /// of the task graph.
    pub fn allocated(&mut self, address: usize, size: usize) {
        let end = address.saturating_add(size);
        // Objects are anywhere in it, but no closer to each other than this.
        for place in (address..end).step_by(STEP).take(MOST_STEPS) {
            let slot = self.slot(place);
            if self.objects[slot].execution == self.execution {
                self.objects[slot].is_new = true;
            }
        }
    }

    /// Where the object is, or belongs.
    #[inline]
    fn slot(&self, address: usize) -> usize {
        let mut slot = (mix(address as u64, 0) >> 32) as usize % SLOTS;
        while self.objects[slot].execution == self.execution && self.objects[slot].address != address {
            slot = (slot + 1) % SLOTS;
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The counters that an execution of these operations (thread, point, object, place) raises.
    fn counters_of(kinds: &[Kind], operations: &[(ThreadId, OpKind, usize, usize)]) -> BTreeSet<(u16, u8)> {
        let _alone = counters::alone();
        counters::clear();
        let mut observer = Observer::new(kinds);
        observer.begin();
        for &(thread, kind, object, place) in operations {
            observer.made(thread, &Op { place, ..Op::new(kind, object) });
        }
        counters::features().into_iter().collect()
    }

    #[test]
    fn a_read_of_another_write_is_news_and_of_the_same_one_is_not() {
        let first = [(0, OpKind::Store, 64, 1), (1, OpKind::Load, 64, 3)];
        let other = [(0, OpKind::Store, 64, 2), (1, OpKind::Load, 64, 3)];
        let elsewhere = [(0, OpKind::Store, 4096, 1), (1, OpKind::Load, 4096, 3), (1, OpKind::Load, 4096, 3)];
        let of = |operations: &[_]| counters_of(&[Kind::ReadsFrom], operations);
        assert_eq!(of(&first).len(), 1);
        assert!(of(&first).is_disjoint(&of(&other)));
        assert_eq!(of(&first), of(&elsewhere));
    }

    #[test]
    fn memory_that_is_allocated_again_is_another_object() {
        let read = |forgets: bool| {
            let _alone = counters::alone();
            counters::clear();
            let mut observer = Observer::new(&[Kind::ReadsFrom, Kind::HandOvers]);
            observer.begin();
            observer.made(0, &Op { place: 1, ..Op::new(OpKind::Store, 80) });
            if forgets {
                observer.allocated(64, 32);
            }
            observer.made(1, &Op { place: 2, ..Op::new(OpKind::Load, 80) });
            counters::features().len()
        };
        assert_eq!((read(false), read(true)), (2, 1), "the first also hands the object over");
    }

    #[test]
    fn hand_overs_are_counted_and_what_one_thread_does_alone_is_none() {
        let alone = [(0, OpKind::Store, 64, 1), (0, OpKind::Load, 64, 2)];
        let once = [(0, OpKind::Store, 64, 1), (1, OpKind::Store, 64, 1)];
        let often: Vec<_> = (0..9).map(|turn| (turn % 2, OpKind::Store, 64, 1)).collect();
        let of = |operations: &[_]| counters_of(&[Kind::HandOvers], operations);
        assert!(of(&alone).is_empty());
        assert_eq!(of(&once).into_iter().map(|(_, times)| times).collect::<Vec<_>>(), [0]);
        assert_eq!(of(&often).into_iter().map(|(_, times)| times).collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn who_waits_in_what_counts_and_in_which_order_does_not() {
        let of = |primitives: &[&'static str]| {
            let _alone = counters::alone();
            counters::clear();
            Observer::new(&[Kind::Blocked]).blocked(primitives.iter().copied());
            counters::features()
        };
        assert_eq!(of(&["futex", "join"]), of(&["join", "futex"]));
        assert_ne!(of(&["futex", "join"]), of(&["futex", "futex"]));
    }

    #[test]
    fn executions_behave_the_same_if_their_reads_see_the_same_writes() {
        let mut observer = Observer::of_behaviours();
        let mut behaviour_of = |operations: &[(ThreadId, OpKind, usize)]| {
            observer.begin();
            for &(thread, kind, place) in operations {
                observer.made(thread, &Op { place, ..Op::new(kind, 64) });
            }
            observer.behaviour()
        };
        let (store, other, load) = ((0, OpKind::Store, 1), (0, OpKind::Store, 2), (1, OpKind::Load, 3));
        let seen = behaviour_of(&[store, load]);
        assert!(seen.is_some());
        assert_eq!(seen, behaviour_of(&[store, load, other]), "no read sees it");
        assert_eq!(seen, behaviour_of(&[store, load, load]));
        assert_ne!(seen, behaviour_of(&[load, store]));
        assert_ne!(seen, behaviour_of(&[store, other, load]));
    }

    #[test]
    fn what_was_not_asked_for_counts_nothing() {
        let busy = [(0, OpKind::Store, 64, 1), (1, OpKind::Load, 64, 3)];
        assert!(counters_of(&[Kind::Edges, Kind::Oracles], &busy).is_empty());
        assert!(!Observer::new(&[Kind::Edges]).watches_points());
    }

    #[test]
    fn more_objects_than_there_is_room_for_are_not_looked_at() {
        let many: Vec<_> = (1..=2 * MOST_OBJECTS).map(|object| (0, OpKind::Load, 8 * object, object)).collect();
        assert!(!counters_of(&[Kind::ReadsFrom], &many).is_empty());
    }
}
