//! Random executions: which thread did what, in which order, and which store each load read.

use std::ops::Range;

use super::Kind;

/// The program's memory in such executions: a few granules, so that accesses meet, at an address that is no page's.
pub const MEMORY: Range<usize> = 0x7000_0fc0..0x7000_1060;

#[derive(Clone, Copy, Debug)]
pub struct Access {
    pub place: usize,
    pub address: usize,
    pub size: usize,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Order {
    pub acquires: bool,
    pub releases: bool,
}

/// The events that an event is about are told by their numbers.
#[derive(Clone, Debug)]
pub enum What {
    /// One or two, as of a copy.
    Plain(Vec<Access>),
    /// An atomic operation that reads what that store wrote, unless it reads what nobody wrote.
    Load(Access, Order, Option<usize>),
    Store(Access, Order),
    ReadModifyWrite(Access, Order, Option<usize>),
    Fence(Order),
    Lock(usize),
    Unlock(usize),
    /// The thread of that number begins.
    Create(usize),
    End,
    Join(usize),
    Free(Access),
    /// That memory begins anew.
    Forget(usize, usize),
}

#[derive(Clone, Debug)]
pub struct Event {
    pub thread: usize,
    pub what: What,
}

impl Event {
    pub fn accesses(&self) -> &[Access] {
        match &self.what {
            What::Plain(accesses) => accesses,
            What::Load(access, ..)
            | What::Store(access, _)
            | What::ReadModifyWrite(access, ..)
            | What::Free(access) => std::slice::from_ref(access),
            _ => &[],
        }
    }
}

/// `SplitMix64`.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(mixed ^ (mixed >> 31)) * end as u128) >> 64) as usize
    }

    fn one_in(&mut self, number: usize) -> bool {
        self.below(number) == 0
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Life {
    Runs,
    Ended,
    Joined,
}

/// What there is while an execution is made.
struct Maker<'a> {
    random: &'a mut Random,
    events: Vec<Event>,
    threads: Vec<Life>,
    /// Who holds each lock.
    locks: [Option<usize>; 2],
    /// By atomic variable, the events that stored to it.
    stores: [Vec<usize>; 3],
    places: usize,
    most_threads: usize,
    /// How often threads synchronise: one in so many events does not.
    plain: usize,
    /// Memory is accessed with the first lock held, but for one access in so many, or however it comes.
    careful: Option<usize>,
    /// One in so many accesses is to a large range.
    ranges: usize,
}

/// An execution of at most so many events.
pub fn trace(random: &mut Random, length: usize) -> Vec<Event> {
    let (places, most_threads) = (2 + random.below(12), 2 + random.below(5));
    let plain = 1 + random.below(6);
    let careful = random.one_in(2).then(|| 8 << random.below(4));
    let ranges = if random.one_in(3) { 2 } else { 20 };
    let mut maker = Maker {
        random,
        events: Vec::new(),
        threads: vec![Life::Runs],
        locks: [None; 2],
        stores: Default::default(),
        places,
        most_threads,
        plain,
        careful,
        ranges,
    };
    for _ in 0..length {
        maker.step();
    }
    maker.events
}

impl Maker<'_> {
    fn step(&mut self) {
        let running: Vec<usize> =
            (0..self.threads.len()).filter(|thread| self.threads[*thread] == Life::Runs).collect();
        let thread = running[self.random.below(running.len())];
        let what = if self.threads.len() < self.most_threads && (self.threads.len() == 1 || self.random.one_in(6)) {
            self.threads.push(Life::Runs);
            What::Create(self.threads.len() - 1)
        } else if self.random.below(8) < self.plain {
            self.access_memory()
        } else {
            self.synchronise(thread)
        };
        if matches!(what, What::Plain(_) | What::Free(_))
            && self.locks[0] != Some(thread)
            && self.careful.is_some_and(|most| !self.random.one_in(most))
        {
            // Those that hold it give it up instead, and then it is taken.
            let (thread, what) = match self.locks[0].replace(thread) {
                None => (thread, What::Lock(0)),
                Some(holder) => {
                    self.locks[0] = None;
                    (holder, What::Unlock(0))
                }
            };
            return self.events.push(Event { thread, what });
        }
        self.events.push(Event { thread, what });
    }

    fn access_memory(&mut self) -> What {
        if self.random.one_in(self.ranges) {
            let (read, mut write) = (self.access(Kind::READ, 100), self.access(Kind::WRITE, 100));
            write.place = read.place;
            return What::Plain(if self.random.one_in(2) { vec![read, write] } else { vec![write] });
        }
        match self.random.below(40) {
            0 => {
                let Access { address, size, .. } = self.access(Kind::WRITE, 40);
                What::Forget(address, size)
            }
            1 => What::Free(self.access(Kind::FREE, 40)),
            _ => {
                let mut access = self.access(Kind::READ, 16);
                // Mostly a place does the same each time.
                let writes = if self.random.one_in(5) { self.random.one_in(2) } else { access.place.is_multiple_of(3) };
                access.kind = if writes { Kind::WRITE } else { Kind::READ };
                What::Plain(vec![access])
            }
        }
    }

    fn access(&mut self, kind: Kind, largest: usize) -> Access {
        let size = if self.random.one_in(2) { 1 << self.random.below(4) } else { 1 + self.random.below(largest) };
        // Close to each other, mostly.
        let room = if self.random.one_in(4) { MEMORY.len() } else { (size + 20).min(MEMORY.len()) };
        let address = MEMORY.start + 48 + self.random.below(room - size + 1);
        let address = if address + size > MEMORY.end { MEMORY.end - size } else { address };
        Access { place: 100 + self.random.below(self.places), address, size, kind }
    }

    fn synchronise(&mut self, thread: usize) -> What {
        match self.random.below(10) {
            0 | 1 => self.lock_or_unlock(thread),
            2 => What::Fence(self.order()),
            3 => self.end_or_join(thread),
            4 => self.access_memory(),
            _ => self.operate(),
        }
    }

    fn lock_or_unlock(&mut self, thread: usize) -> What {
        let lock = self.random.below(self.locks.len());
        if self.locks[lock].is_none() {
            self.locks[lock] = Some(thread);
            What::Lock(lock)
        } else if self.locks[lock] == Some(thread) {
            self.locks[lock] = None;
            What::Unlock(lock)
        } else {
            self.access_memory()
        }
    }

    fn end_or_join(&mut self, thread: usize) -> What {
        let ended = self.threads.iter().position(|life| *life == Life::Ended);
        if let Some(ended) = ended {
            self.threads[ended] = Life::Joined;
            return What::Join(ended);
        }
        if thread == 0 || self.locks.contains(&Some(thread)) {
            return self.access_memory();
        }
        self.threads[thread] = Life::Ended;
        What::End
    }

    fn order(&mut self) -> Order {
        Order { acquires: self.random.one_in(2), releases: self.random.one_in(2) }
    }

    fn operate(&mut self) -> What {
        let variable = self.random.below(self.stores.len());
        let size = 4 << (variable % 2);
        let place = 100 + self.random.below(self.places);
        let kind = Kind::ATOMIC_WRITE;
        let access = Access { place, address: MEMORY.start + 56 + variable * 8, size, kind };
        let order = self.order();
        // The last store, or one before.
        let stores = &self.stores[variable];
        let back = if self.random.one_in(3) { self.random.below(3) } else { 0 };
        let read = stores.len().checked_sub(1 + back).map(|index| stores[index]);
        match self.random.below(3) {
            0 => What::Load(Access { kind: Kind::ATOMIC_READ, ..access }, order, read),
            1 => {
                self.stores[variable].push(self.events.len());
                What::Store(access, order)
            }
            _ => {
                self.stores[variable].push(self.events.len());
                What::ReadModifyWrite(access, order, read)
            }
        }
    }
}
