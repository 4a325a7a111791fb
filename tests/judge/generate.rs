//! Random programs, each about a few kinds of operation, so that its threads meet.

use super::program::{
    ATOMICS, CONDITIONS, Guard, MUTEXES, MutexKind, Operation, PLAINS, Pausing, Program, Step, THREADS,
};

/// What programs are made of.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Operations of all threads: at most.
    pub operations: usize,
    /// With loops that wait for a value, yields and pauses.
    pub has_spins: bool,
}

/// Operations of a kind that meet each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Atomic,
    Plain,
    Mutex,
    Condition,
    Semaphore,
    Futex,
    ReadWrite,
    Pausing,
}

const FAMILIES: [Family; 8] = [
    Family::Atomic,
    Family::Plain,
    Family::Mutex,
    Family::Condition,
    Family::Semaphore,
    Family::Futex,
    Family::ReadWrite,
    Family::Pausing,
];

/// Marsaglia's xorshift with a multiplier (Vigna: "An experimental exploration of Marsaglia's xorshift generators,
/// scrambled", ACM TOMS 42, 2016), begun with a mix of the seed.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        let mixed = (seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        Self((mixed ^ (mixed >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound as u64) as usize
    }

    fn one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// A number of objects to choose from: mostly few.
    fn few(&mut self, most: usize) -> usize {
        1 + self.below(most).min(self.below(most))
    }
}

/// The program of that seed and attempt.
pub fn generate(seed: u64, attempt: u64, shape: Shape) -> Program {
    let mut random = Random::new(seed ^ attempt << 48);
    let threads = 2 + random.below(THREADS - 1).min(random.below(THREADS - 1));
    // Few programs are tiny: there is little to find in them.
    let operations = shape.operations - random.below(shape.operations - 1).min(random.below(shape.operations - 1));
    let kinds = [MutexKind::Normal, MutexKind::Normal, MutexKind::Recursive, MutexKind::ErrorCheck];
    let mut maker = Maker {
        families: Vec::new(),
        atomics: random.few(ATOMICS),
        plains: random.few(PLAINS),
        mutexes: random.few(MUTEXES),
        conditions: random.few(CONDITIONS),
        shape,
    };
    for _ in 0..random.few(3) {
        maker.families.push(random.one_of(&FAMILIES[..if shape.has_spins { 8 } else { 7 }]));
    }
    let mut program = Program {
        threads: vec![Vec::new(); threads],
        mutexes: std::array::from_fn(|_| random.one_of(&kinds)),
        semaphore: random.below(5).saturating_sub(2) as u32,
    };
    let mut left = operations;
    while left > 0 {
        let thread = random.below(threads);
        for operation in maker.some(&mut random).into_iter().take(left) {
            let guard = random
                .one_in(5)
                .then(|| Guard { value: random.one_of(&[0, 0, 1, 1, 2, -1, -2]), is: random.one_in(2) });
            program.threads[thread].push(Step { guard, operation });
            left -= 1;
        }
    }
    program.threads.retain(|steps| !steps.is_empty());
    program
}

struct Maker {
    families: Vec<Family>,
    atomics: usize,
    plains: usize,
    mutexes: usize,
    conditions: usize,
    shape: Shape,
}

impl Maker {
    /// One operation, or some that belong together.
    fn some(&self, random: &mut Random) -> Vec<Operation> {
        let atomic = random.below(self.atomics);
        let plain = random.below(self.plains);
        let mutex = random.below(self.mutexes);
        let condition = random.below(self.conditions);
        let value = random.below(3) as i32;
        let desired = 1 + random.below(2) as i32;
        let another = random.below(self.mutexes);
        match random.one_of(&self.families) {
            Family::Atomic => vec![random.one_of(&[
                Operation::Load(atomic),
                Operation::Load(atomic),
                Operation::Store(atomic, value),
                Operation::Store(atomic, 1),
                Operation::Exchange(atomic, value),
                Operation::Add(atomic, 1),
                Operation::CompareExchange { atomic, expected: value, desired },
            ])],
            Family::Plain => vec![random.one_of(&[
                Operation::Read(plain),
                Operation::Write(plain, value),
                Operation::Increment(plain),
            ])],
            Family::Mutex => {
                let lock = random.one_of(&[
                    Operation::Lock(mutex),
                    Operation::Lock(mutex),
                    Operation::TryLock(mutex),
                    Operation::TimedLock(mutex),
                ]);
                self.locked(random, lock, Operation::Unlock(mutex), |random| {
                    random.one_of(&[
                        Operation::Increment(plain),
                        Operation::Read(plain),
                        Operation::Write(plain, value),
                        Operation::Lock(another),
                    ])
                })
            }
            Family::Condition => match random.below(5) {
                0 => vec![Operation::Signal(condition)],
                1 => vec![Operation::Broadcast(condition)],
                2 => {
                    let end = random.one_of(&[Operation::Signal(condition), Operation::Broadcast(condition)]);
                    vec![Operation::Lock(mutex), Operation::Write(plain, value), Operation::Unlock(mutex), end]
                }
                _ => {
                    let wait = random.one_of(&[
                        Operation::Wait { condition, mutex },
                        Operation::Wait { condition, mutex },
                        Operation::TimedWait { condition, mutex },
                        Operation::WaitUntil { condition, mutex, plain, value },
                    ]);
                    self.locked(random, Operation::Lock(mutex), Operation::Unlock(mutex), |_| wait)
                }
            },
            Family::Semaphore => vec![random.one_of(&[
                Operation::SemaphoreWait,
                Operation::SemaphoreTryWait,
                Operation::SemaphoreTimedWait,
                Operation::SemaphorePost,
                Operation::SemaphorePost,
            ])],
            Family::Futex => match random.below(4) {
                0 => vec![Operation::FutexWait { atomic, expected: value }],
                1 => vec![Operation::FutexTimedWait { atomic, expected: value }],
                2 => vec![Operation::FutexWake { atomic, most: 1 + random.below(3) as u32 }],
                _ => vec![Operation::Store(atomic, value), Operation::FutexWake { atomic, most: 1 }],
            },
            Family::ReadWrite => {
                let lock = random.one_of(&[
                    Operation::ReadLock,
                    Operation::WriteLock,
                    Operation::TryReadLock,
                    Operation::TryWriteLock,
                ]);
                self.locked(random, lock, Operation::ReadWriteUnlock, |random| {
                    random.one_of(&[Operation::Increment(plain), Operation::Read(plain), Operation::ReadLock])
                })
            }
            Family::Pausing => {
                let pausing = random.one_of(&[Pausing::Nothing, Pausing::Pause, Pausing::Yield]);
                debug_assert!(self.shape.has_spins);
                match random.below(4) {
                    0 => vec![Operation::Sleep],
                    1 => vec![Operation::Pause(random.one_of(&[Pausing::Pause, Pausing::Yield]))],
                    2 => vec![Operation::Store(atomic, value)],
                    _ => {
                        let rounds = random.one_of(&[1, 2, 3, 6, 12]);
                        vec![Operation::Spin { atomic, value, rounds, pausing }]
                    }
                }
            }
        }
    }

    /// A lock, perhaps something done with it, and mostly its end.
    fn locked(
        &self,
        random: &mut Random,
        lock: Operation,
        unlock: Operation,
        inside: impl FnOnce(&mut Random) -> Operation,
    ) -> Vec<Operation> {
        let mut all = vec![lock];
        if !random.one_in(4) {
            all.push(inside(random));
        }
        if !random.one_in(6) {
            all.push(unlock);
        }
        all
    }
}
