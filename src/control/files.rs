//! The descriptors that the target opened during an execution, and the locks on its files: whole ones by `flock`, and
//! parts of them by `fcntl`.
//!
//! Which descriptors are open, and which opens are of one file, is all that anything here depends on: not
//! what the system happens to number them.

use std::ffi::c_int;

/// What calls on files are on, as their operations say.
pub(super) const FILES: usize = 0;

/// What such a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileUse {
    /// It changed what is in files, or which there are.
    Changes,
    /// It left them as they were.
    Looks,
    /// The same, and the place in the open file moved on.
    Reads,
    /// It was about a descriptor or a lock alone.
    Spares,
}

/// Descriptors that the target may have open at once.
pub(super) const MAX_DESCRIPTORS: usize = 256;

/// What is locked: a file, by device and inode, or its parts, whose locks have nothing to do with those of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub device: u64,
    pub inode: u64,
    pub parts: bool,
}

/// How a file is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    Shared,
    Exclusive,
}

/// A lock that was given up, and the file that it was on.
pub(super) type Released = (Identity, Lock);

/// What orders memory between those that lock a file: who had it exclusively releases one place, who shared it the other.
/// Who shares it is ordered after the former alone, so that races between those who share it are still seen.
#[derive(Clone, Copy)]
pub(super) struct Order(usize);

impl Order {
    /// Stands for who has locked the file.
    pub fn object(self) -> usize {
        self.0
    }

    /// Who gives this lock up releases that place.
    pub fn released_by(self, lock: Lock) -> usize {
        match lock {
            Lock::Exclusive => self.0,
            Lock::Shared => self.0 + size_of::<u64>(),
        }
    }

    /// Who takes this lock acquires those places.
    pub fn acquired_by(self, lock: Lock) -> impl Iterator<Item = usize> {
        let released_by = [Lock::Exclusive, Lock::Shared];
        released_by.into_iter().filter(move |held| held.forbids(lock)).map(move |held| self.released_by(held))
    }
}

impl Lock {
    /// Whether an open that has this lock keeps others from having that one.
    fn forbids(self, other: Self) -> bool {
        self == Self::Exclusive || other == Self::Exclusive
    }
}

/// An open file, index into `Files::opens`. It owns a lock, and what threads that wait for one wait at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenId(usize);

#[derive(Clone, Copy)]
struct Open {
    /// Descriptors of it, and threads that wait for its lock; 0: free.
    references: u32,
    /// Known once a lock was asked for.
    file: Option<Identity>,
    lock: Option<Lock>,
    /// As `file`, of locks of its parts. Which those are is known to the system; here is the strictest so far.
    parts: Option<Identity>,
    strictest: Option<Lock>,
}

#[derive(Clone, Copy)]
struct Descriptor {
    number: c_int,
    open: OpenId,
}

/// All of it is allocated before the first execution, see `Controller::new`.
pub(super) struct Files {
    descriptors: Box<[Option<Descriptor>]>,
    /// As many as descriptors and waiting threads can refer to.
    opens: Box<[Open]>,
    /// From here on no open was used in this execution, so that nothing walks the whole table.
    used: usize,
    /// The files that locks were asked for on, in that order.
    locked: Box<[Option<Identity>]>,
    /// The target called something that may have changed what is in its directory.
    pub touched: bool,
}

const FREE: Open = Open { references: 0, file: None, lock: None, parts: None, strictest: None };

impl Files {
    pub fn new() -> Self {
        let opens = vec![FREE; MAX_DESCRIPTORS + crate::model::limits::MAX_VIRTUAL_THREADS].into();
        let descriptors = vec![None; MAX_DESCRIPTORS].into();
        Self { descriptors, opens, used: 0, locked: vec![None; MAX_DESCRIPTORS].into(), touched: false }
    }

    /// Forgets what the last execution left.
    pub fn begin(&mut self) {
        if std::mem::take(&mut self.touched) {
            self.descriptors.fill(None);
            self.opens[..self.used].fill(FREE);
            self.used = 0;
            self.locked.fill(None);
        }
    }

    pub fn is_full(&self) -> bool {
        self.descriptors.iter().all(Option::is_some)
    }

    /// A file was opened under this number; there is room (see `is_full`).
    pub fn add(&mut self, number: c_int) {
        let open = self.opens.iter().position(|open| open.references == 0).expect("as many opens as descriptors");
        self.opens[open] = Open { references: 1, ..FREE };
        self.used = self.used.max(open + 1);
        self.insert(Descriptor { number, open: OpenId(open) });
    }

    /// `number` is another descriptor of an open file from here on.
    pub fn add_to(&mut self, open: OpenId, number: c_int) {
        self.opens[open.0].references += 1;
        self.insert(Descriptor { number, open });
    }

    fn insert(&mut self, descriptor: Descriptor) {
        let place = self.descriptors.iter_mut().find(|entry| entry.is_none()).expect("asked before: is_full");
        *place = Some(descriptor);
    }

    /// The open file behind a descriptor, if the target opened it.
    pub fn open_of(&self, number: c_int) -> Option<OpenId> {
        let descriptor = self.descriptors.iter().flatten().find(|descriptor| descriptor.number == number);
        descriptor.map(|descriptor| descriptor.open)
    }

    /// A descriptor was closed. The locks that that released.
    pub fn remove(&mut self, number: c_int) -> [Option<Released>; 2] {
        let is_it = |entry: &&mut Option<Descriptor>| entry.is_some_and(|descriptor| descriptor.number == number);
        let closed = self.descriptors.iter_mut().find(is_it).and_then(Option::take);
        closed.map_or([None; 2], |closed| self.let_go(closed.open))
    }

    /// Takes a descriptor that is still open off the table.
    pub fn take_left(&mut self) -> Option<c_int> {
        let left = self.descriptors.iter_mut().find_map(Option::take)?;
        Some(left.number)
    }

    /// Stands for which number is whose: it changes when one is opened, closed or copied.
    pub fn numbers(&self) -> usize {
        std::ptr::from_ref(&self.used).addr()
    }

    /// Stands for what one number is of, if the target opened it.
    pub fn number(&self, number: c_int) -> Option<usize> {
        let is_it = |entry: &&Option<Descriptor>| entry.is_some_and(|descriptor| descriptor.number == number);
        self.descriptors.iter().find(is_it).map(|entry| std::ptr::from_ref(entry).addr())
    }

    /// A thread begins to wait for the lock: the open file stays until it lets go.
    pub fn hold(&mut self, open: OpenId) {
        self.opens[open.0].references += 1;
    }

    /// One reference less; see `remove`.
    pub fn let_go(&mut self, open: OpenId) -> [Option<Released>; 2] {
        self.opens[open.0].references -= 1;
        if self.opens[open.0].references > 0 {
            return [None; 2];
        }
        let released = [self.unlock(open), self.give_up_parts(open)];
        self.opens[open.0] = FREE;
        released
    }

    /// Locks the file for that open, unless another open's lock forbids it.
    pub fn try_lock(&mut self, open: OpenId, file: Identity, lock: Lock) -> bool {
        self.opens[open.0].file = Some(file);
        let others = self.opens[..self.used]
            .iter()
            .enumerate()
            .filter(|&(other, entry)| other != open.0 && entry.file == Some(file));
        if others.filter_map(|(_, entry)| entry.lock).any(|held| held.forbids(lock)) {
            return false;
        }
        self.opens[open.0].lock = Some(lock);
        true
    }

    pub fn lock_of(&self, open: OpenId) -> Option<Lock> {
        self.opens[open.0].lock
    }

    /// Gives the lock up, if there is one.
    pub fn unlock(&mut self, open: OpenId) -> Option<Released> {
        let open = &mut self.opens[open.0];
        open.file.zip(open.lock.take())
    }

    /// Parts of the file are to be locked for that open.
    pub fn ask_for_parts(&mut self, open: OpenId, parts: Identity) {
        self.opens[open.0].parts = Some(parts);
    }

    /// They are.
    pub fn lock_parts(&mut self, open: OpenId, lock: Lock) {
        let strictest = &mut self.opens[open.0].strictest;
        if *strictest != Some(Lock::Exclusive) {
            *strictest = Some(lock);
        }
    }

    /// Some part, or all of them, may be locked no longer.
    pub fn give_up_parts(&self, open: OpenId) -> Option<Released> {
        let open = &self.opens[open.0];
        open.parts.zip(open.strictest)
    }

    /// What threads wait at for a lock of that open.
    pub fn object(&self, open: OpenId) -> usize {
        std::ptr::from_ref(&self.opens[open.0]).addr()
    }

    /// What orders memory between those that lock the file. If there are very many, the last ones share theirs.
    pub fn order(&mut self, file: Identity) -> Order {
        let is_it = |entry: &Option<Identity>| entry.is_none_or(|known| known == file);
        let place = self.locked.iter().position(is_it).unwrap_or(MAX_DESCRIPTORS - 1);
        self.locked[place] = Some(file);
        Order(std::ptr::from_ref(&self.locked[place]).addr())
    }

    /// Every open of this execution, to look for those of one file.
    pub fn opens(&self) -> impl Iterator<Item = OpenId> + use<> {
        (0..self.used).map(OpenId)
    }

    pub fn is_of(&self, open: OpenId, file: Identity) -> bool {
        let open = &self.opens[open.0];
        if file.parts { open.parts == Some(file) } else { open.file == Some(file) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Identity = Identity { device: 1, inode: 7, parts: false };
    const PARTS: Identity = Identity { parts: true, ..FILE };

    #[test]
    fn a_lock_is_the_opens_and_goes_with_its_last_descriptor() {
        let mut files = Files::new();
        files.add(3);
        files.add(4);
        let (first, second) = (files.open_of(3).expect("open"), files.open_of(4).expect("open"));
        files.add_to(first, 5);
        assert!(files.try_lock(first, FILE, Lock::Exclusive));
        assert!(files.try_lock(files.open_of(5).expect("open"), FILE, Lock::Exclusive), "it is the same open file");
        assert!(!files.try_lock(second, FILE, Lock::Shared));
        assert!(files.try_lock(second, Identity { inode: 8, ..FILE }, Lock::Exclusive), "another file");
        assert_eq!(files.remove(3), [None; 2]);
        assert_eq!(files.remove(5), [Some((FILE, Lock::Exclusive)), None]);
        assert_eq!(files.open_of(5), None);
        assert!(files.try_lock(second, FILE, Lock::Exclusive));
    }

    #[test]
    fn shared_locks_exclude_only_exclusive_ones() {
        let mut files = Files::new();
        (3..6).for_each(|number| files.add(number));
        let open = |files: &Files, number| files.open_of(number).expect("open");
        let (a, b, c) = (open(&files, 3), open(&files, 4), open(&files, 5));
        assert!(files.try_lock(a, FILE, Lock::Shared) && files.try_lock(b, FILE, Lock::Shared));
        assert!(!files.try_lock(c, FILE, Lock::Exclusive));
        assert_eq!((files.unlock(a), files.unlock(a)), (Some((FILE, Lock::Shared)), None));
        assert_eq!(files.unlock(b), Some((FILE, Lock::Shared)));
        assert!(files.try_lock(c, FILE, Lock::Exclusive));
    }

    #[test]
    fn locks_of_parts_are_given_up_apart_from_those_of_the_whole() {
        let mut files = Files::new();
        files.add(3);
        let open = files.open_of(3).expect("open");
        files.ask_for_parts(open, PARTS);
        assert_eq!(files.give_up_parts(open), None, "it was not given");
        files.lock_parts(open, Lock::Exclusive);
        files.lock_parts(open, Lock::Shared);
        assert!(files.is_of(open, PARTS) && !files.is_of(open, FILE));
        assert!(files.try_lock(open, FILE, Lock::Shared));
        assert_eq!(files.remove(3), [Some((FILE, Lock::Shared)), Some((PARTS, Lock::Exclusive))]);
    }

    #[test]
    fn what_is_left_open_is_given_once_and_forgotten_by_the_next_execution() {
        let mut files = Files::new();
        files.touched = true;
        (0..MAX_DESCRIPTORS as c_int).for_each(|number| files.add(number));
        assert!(files.is_full());
        assert_eq!(files.take_left(), Some(0));
        files.begin();
        assert_eq!((files.take_left(), files.is_full()), (None, false));
    }
}
