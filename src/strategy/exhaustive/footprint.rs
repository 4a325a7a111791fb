//! What a step of a thread touches, and whether the order of two steps matters.

use std::ops::Range;

use crate::model::op::OpKind;
use crate::strategy::Numbering;

/// How a step touches something. Two that look commute, and so do two that share: they add to a number or a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Look,
    Share,
    Change,
}

impl Access {
    fn conflicts_with(self, other: Self) -> bool {
        self != other || self == Self::Change
    }
}

/// Some bytes of eight that lie together, by the name of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    pub name: u32,
    pub bytes: u8,
    pub access: Access,
    /// It is an access of a thread to its own stack: not where the step begins, but at some time during it.
    pub is_unseen: bool,
}

impl Item {
    /// Something that is no memory.
    pub fn whole(name: u32, access: Access) -> Self {
        Self { name, bytes: u8::MAX, access, is_unseen: false }
    }

    pub fn conflicts_with(&self, other: &Self) -> bool {
        self.name == other.name && self.bytes & other.bytes != 0 && self.access.conflicts_with(other.access)
    }

    /// As a step touches it that may do more in another execution than it did in this one.
    pub fn changing(self) -> Self {
        Self { access: Access::Change, ..self }
    }
}

/// Any file, and what names there are.
pub const FILES: u32 = 0;
/// The numbers of new threads.
pub const THREADS: u32 = 1;
const FIRST: u32 = 2;
/// Names with this bit belong to an execution, in the order in which it met them: what lies there has another address in
/// the next one.
const PASSING: u32 = 1 << 31;
/// Anything with a passing name that the executions to be compared need not have in common.
const FRESH: u32 = u32::MAX;

/// Bytes that have a name.
const GRANULE: usize = 8;
/// Larger accesses touch everything.
pub const LARGEST: usize = 256;

/// Names of addresses. Variables of the program lie at the same address in every execution; what else there is, is known
/// by when it was met, which is the same as far as executions begin alike.
pub struct Names {
    steady: Vec<Range<usize>>,
    lasting: Numbering,
    passing: Numbering,
}

impl Names {
    pub fn new() -> Self {
        Self { steady: Vec::new(), lasting: Numbering::new(), passing: Numbering::new() }
    }

    /// What lies there is there in every execution.
    pub fn add_steady(&mut self, range: Range<usize>) {
        if !self.steady.contains(&range) {
            self.steady.push(range);
        }
    }

    /// A new workload.
    pub fn forget(&mut self) {
        self.lasting.clear();
        self.passing.clear();
    }

    /// A new execution.
    pub fn begin(&mut self) {
        if self.passing.len() > 0 {
            self.passing.clear();
        }
    }

    /// Passing names so far.
    pub fn known(&self) -> u32 {
        self.passing.len() as u32
    }

    fn name(&mut self, address: usize) -> u32 {
        if self.steady.iter().any(|range| range.contains(&address)) {
            self.lasting(address)
        } else {
            PASSING | self.passing.number((address / GRANULE) as u64)
        }
    }

    /// Of something that lies where it lies in every execution.
    pub fn lasting(&mut self, address: usize) -> u32 {
        FIRST + self.lasting.number((address / GRANULE) as u64)
    }

    /// Puts into `items` what an access of so many bytes touches; whether that is known.
    pub fn add(&mut self, items: &mut Vec<Item>, address: usize, size: usize, access: Access) -> bool {
        if size == 0 || size > LARGEST {
            return false;
        }
        let end = address + size;
        let mut at = address;
        while at < end {
            let granule = at / GRANULE * GRANULE;
            let last = end.min(granule + GRANULE);
            let bytes = (((1_u16 << (last - at)) - 1) << (at - granule)) as u8;
            let name = self.name(at);
            items.push(Item { name, bytes, access, is_unseen: false });
            at = last;
        }
        true
    }
}

/// What a step touches, kept for executions that begin as that one did.
#[derive(Clone, Debug)]
pub struct Footprint {
    pub everything: bool,
    pub items: Vec<Item>,
    /// Passing names that all these executions have in common.
    known: u32,
}

impl Footprint {
    pub fn everything() -> Self {
        Self { everything: true, items: Vec::new(), known: 0 }
    }

    pub fn new(step: Touched<'_>, known: u32) -> Self {
        let items = step.items.iter().map(|item| settled(*item, known)).collect();
        Self { everything: step.everything, items, known }
    }

    /// As `new`, of a step that may do more than it did.
    pub fn at_most(step: Touched<'_>, known: u32) -> Self {
        let mut all = Self::new(step, known);
        all.items.iter_mut().for_each(|item| *item = item.changing());
        all
    }

    /// Adds what the same step touches in another way of going on.
    pub fn add(&mut self, other: Self) {
        self.everything |= other.everything;
        for item in other.items {
            if !self.items.contains(&item) {
                self.items.push(item);
            }
        }
    }

    pub fn conflicts_with(&self, step: Touched<'_>) -> bool {
        self.everything
            || step.everything
            || step.items.iter().any(|item| {
                let item = settled(*item, self.known);
                self.items.iter().any(|own| own.conflicts_with(&item))
            })
    }

    /// As `conflicts_with`, of a step that may do more than it did.
    pub fn may_conflict_with(&self, step: Touched<'_>) -> bool {
        self.everything
            || step.everything
            || step.items.iter().any(|item| {
                let item = settled(item.changing(), self.known);
                self.items.iter().any(|own| own.conflicts_with(&item))
            })
    }
}

fn settled(item: Item, known: u32) -> Item {
    if item.name & PASSING == 0 || item.name & !PASSING < known {
        item
    } else {
        Item { name: FRESH, bytes: u8::MAX, ..item }
    }
}

/// What a step of the current execution touched.
#[derive(Clone, Copy)]
pub struct Touched<'a> {
    pub everything: bool,
    pub items: &'a [Item],
}

impl Touched<'_> {
    /// Whether the order of the two may matter, though the first may do more than it did.
    pub fn may_conflict_with(&self, other: &Self) -> bool {
        self.everything
            || other.everything
            || self.items.iter().any(|item| other.items.iter().any(|also| item.changing().conflicts_with(also)))
    }
}

/// By name, in a table of each kind.
pub fn index(name: u32) -> (usize, bool) {
    ((name & !PASSING) as usize, name & PASSING != 0)
}

/// Whether what goes on after such a wait is known: it is about what it waited for.
pub fn is_known_wait(last: OpKind) -> bool {
    matches!(
        last,
        OpKind::Lock
            | OpKind::SharedLock
            | OpKind::ConditionWait
            | OpKind::FutexWait
            | OpKind::ThreadJoin
            | OpKind::SemaphoreWait
            | OpKind::BarrierWait
            | OpKind::File
    )
}
