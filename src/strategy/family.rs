//! Which threads of one execution are which of another.

use super::Numbering;
use crate::model::execution::ThreadId;
use crate::model::op::{Op, OpKind};

/// A thread as the n-th child of its parent, numbered the same in every execution. Thread numbers are not enough: they
/// are given in the order of creation, which differs where several threads create others.
pub type Member = u32;

/// The first thread of every execution.
pub const ROOT: Member = 0;

/// Tells threads of an execution by their places in the tree of who created whom.
pub struct Family {
    /// By parent and which of its children it is.
    members: Numbering,
    /// By member.
    parents: Vec<Member>,
    /// By thread of this execution: who it is, and how many children it has so far.
    threads: Vec<(Member, u32)>,
    /// The thread that began to create another one last.
    creator: ThreadId,
}

impl Family {
    #[must_use]
    pub fn new() -> Self {
        let mut family = Self { members: Numbering::new(), parents: Vec::new(), threads: Vec::new(), creator: 0 };
        family.forget();
        family
    }

    pub fn forget(&mut self) {
        self.members.clear();
        self.members.number(u64::MAX);
        self.parents.clear();
        self.parents.push(ROOT);
        self.begin();
    }

    /// A new execution with one thread.
    pub fn begin(&mut self) {
        self.threads.clear();
        self.threads.push((ROOT, 0));
        self.creator = 0;
    }

    /// A thread makes an operation.
    #[inline]
    pub fn made(&mut self, thread: ThreadId, made: &Op) {
        // A signal on its way counts as a thread.
        if matches!(made.kind, OpKind::ThreadCreate | OpKind::Signal) {
            self.creator = thread;
        }
    }

    /// Learns of threads up to `count`; gives the parent and the next new thread until there is none.
    #[inline]
    pub fn next_birth(&mut self, count: usize) -> Option<(ThreadId, ThreadId)> {
        (self.threads.len() < count).then(|| self.born())
    }

    #[cold]
    fn born(&mut self) -> (ThreadId, ThreadId) {
        let child = self.threads.len() as ThreadId;
        let (parent, children) = &mut self.threads[usize::from(self.creator)];
        let (parent, key) = (*parent, u64::from(*parent) << 32 | u64::from(*children));
        *children += 1;
        let member = self.members.number(key);
        if member as usize == self.parents.len() {
            self.parents.push(parent);
        }
        self.threads.push((member, 0));
        (self.creator, child)
    }

    /// Who a thread of this execution is.
    #[inline]
    #[must_use]
    pub fn member(&self, thread: ThreadId) -> Member {
        self.threads[usize::from(thread)].0
    }

    /// The parent of each member, which has a lower number but for the root's, which is its own.
    #[must_use]
    pub fn parents(&self) -> &[Member] {
        &self.parents
    }
}

impl Default for Family {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_children_are_the_same_members_in_whatever_order_they_appear() {
        let create = Op { kind: OpKind::ThreadCreate, ..Op::NOTHING };
        let mut family = Family::new();
        let mut members = |creators: [ThreadId; 4]| {
            family.begin();
            for (creator, count) in creators.into_iter().zip(2..) {
                family.made(creator, &create);
                assert_eq!(family.next_birth(count), Some((creator, count as ThreadId - 1)));
                assert_eq!(family.next_birth(count), None);
            }
            [1, 2, 3, 4].map(|thread| family.member(thread))
        };
        // 0 creates 1 and 2, which create one each, in both orders.
        assert_eq!(members([0, 0, 1, 2]), [1, 2, 3, 4]);
        assert_eq!(members([0, 0, 2, 1]), [1, 2, 4, 3]);
        assert_eq!(family.parents(), [0, 0, 0, 1, 2]);
    }
}
