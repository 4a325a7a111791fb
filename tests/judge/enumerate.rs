//! Every state in which a program can end, over all sequentially consistent interleavings: a search of the states that
//! remembers where it has been.
//!
//! It is written from the standards alone, and shares no code with the controller that it judges. A wake-up is never
//! spurious, and a time-out may come at any time at which the thread waits.

use std::collections::{BTreeSet, HashSet};

use super::program::{
    ATOMICS, BUSY, CONDITIONS, DEADLOCK, MUTEXES, MutexKind, Operation, Outcome, PLAINS, Program, STUCK, TIMED_OUT,
};

/// What the search found.
pub struct Outcomes {
    pub all: BTreeSet<Outcome>,
    /// Two threads can be about to access the same plain variable, one of them to write it.
    pub races: bool,
}

/// Where a thread is in its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Begin,
    /// It was put into the queue of a condition variable or a futex.
    Queued,
    /// It was taken out of it.
    Woken,
    TimedOut,
    /// A plain increment has read this.
    Has(i32),
    /// A loop has made so many rounds.
    Round(u32),
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Thread {
    step: usize,
    stage: Stage,
    record: Vec<i32>,
    /// How often it holds each mutex.
    holds: [u32; MUTEXES],
    reads: u32,
    writes: bool,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    threads: Vec<Thread>,
    atomics: [i32; ATOMICS],
    plains: [i32; PLAINS],
    semaphore: u32,
}

/// Everything that can come of the program; `None` if it has more states than so many.
pub fn enumerate(program: &Program, most: usize) -> Option<Outcomes> {
    let idle =
        Thread { step: 0, stage: Stage::Begin, record: Vec::new(), holds: [0; MUTEXES], reads: 0, writes: false };
    let mut first = State {
        threads: vec![idle; program.threads.len()],
        atomics: [0; ATOMICS],
        plains: [0; PLAINS],
        semaphore: program.semaphore,
    };
    for thread in 0..first.threads.len() {
        first.settle(program, thread);
    }
    let mut outcomes = Outcomes { all: BTreeSet::new(), races: false };
    let mut seen = HashSet::from([first.clone()]);
    let mut open = vec![first];
    while let Some(state) = open.pop() {
        outcomes.races |= state.races(program);
        let next: Vec<_> = (0..state.threads.len()).flat_map(|thread| state.after(program, thread)).collect();
        if next.is_empty() {
            outcomes.all.insert(state.outcome(program));
        }
        for state in next {
            if seen.insert(state.clone()) {
                open.push(state);
            }
        }
        if seen.len() > most {
            return None;
        }
    }
    Some(outcomes)
}

impl State {
    fn outcome(&self, program: &Program) -> Outcome {
        let ended = (0..self.threads.len()).all(|thread| self.operation(program, thread).is_none());
        Outcome {
            stopped: (!ended).then(|| STUCK.to_owned()),
            records: self.threads.iter().map(|thread| thread.record.clone()).collect(),
            atomics: self.atomics,
            plains: self.plains,
        }
    }

    fn operation(&self, program: &Program, thread: usize) -> Option<Operation> {
        program.threads[thread].get(self.threads[thread].step).map(|step| step.operation)
    }

    /// Passes by what the thread leaves out.
    fn settle(&mut self, program: &Program, thread: usize) {
        while let Some(step) = program.threads[thread].get(self.threads[thread].step) {
            let this = &self.threads[thread];
            let last = this.record.last().copied().unwrap_or(0);
            let able = match step.operation {
                Operation::Unlock(mutex) => this.holds[mutex] > 0,
                Operation::Wait { mutex, .. }
                | Operation::TimedWait { mutex, .. }
                | Operation::WaitUntil { mutex, .. } => this.holds[mutex] == 1,
                Operation::ReadWriteUnlock => this.reads > 0 || this.writes,
                _ => true,
            };
            if able && step.guard.is_none_or(|guard| guard.holds(last)) {
                return;
            }
            self.threads[thread].step += 1;
        }
    }

    /// Whether a mutex is free.
    fn is_free(&self, mutex: usize) -> bool {
        self.threads.iter().all(|thread| thread.holds[mutex] == 0)
    }

    /// Threads other than `this` that match.
    fn is_any_other(&self, this: usize, matches: impl Fn(&Thread) -> bool) -> bool {
        self.threads.iter().enumerate().any(|(thread, other)| thread != this && matches(other))
    }

    /// The threads in the queue of a condition variable.
    fn waiting_for(&self, program: &Program, searched: usize) -> Vec<usize> {
        debug_assert!(searched < CONDITIONS);
        self.queued(program, |operation| match operation {
            Operation::Wait { condition, .. }
            | Operation::TimedWait { condition, .. }
            | Operation::WaitUntil { condition, .. } => condition == searched,
            _ => false,
        })
    }

    /// The threads in the queue of a futex.
    fn waiting_at(&self, program: &Program, searched: usize) -> Vec<usize> {
        self.queued(program, |operation| match operation {
            Operation::FutexWait { atomic, .. } | Operation::FutexTimedWait { atomic, .. } => atomic == searched,
            _ => false,
        })
    }

    fn queued(&self, program: &Program, matches: impl Fn(Operation) -> bool) -> Vec<usize> {
        let in_queue = |&thread: &usize| {
            self.threads[thread].stage == Stage::Queued && self.operation(program, thread).is_some_and(&matches)
        };
        (0..self.threads.len()).filter(in_queue).collect()
    }

    /// The same with this thread in that stage of its operation.
    fn staged(&self, thread: usize, stage: Stage) -> Self {
        let mut next = self.clone();
        next.threads[thread].stage = stage;
        next
    }

    /// The same with these threads taken out of their queue.
    fn woken(&self, threads: &[usize]) -> Self {
        let mut next = self.clone();
        for &thread in threads {
            next.threads[thread].stage = Stage::Woken;
        }
        next
    }

    /// The thread's operation ends, after `change`, and records `value`.
    fn done(&self, program: &Program, thread: usize, value: i32, change: impl FnOnce(&mut Self)) -> Self {
        let mut next = self.clone();
        change(&mut next);
        let this = &mut next.threads[thread];
        this.record.push(value);
        this.stage = Stage::Begin;
        this.step += 1;
        next.settle(program, thread);
        next
    }

    /// Every state that one step of the thread leads to.
    fn after(&self, program: &Program, thread: usize) -> Vec<Self> {
        let Some(operation) = self.operation(program, thread) else { return Vec::new() };
        let done = |value: i32, change: &dyn Fn(&mut Self)| vec![self.done(program, thread, value, change)];
        let nothing = |_: &mut Self| {};
        match operation {
            Operation::Load(atomic) => done(self.atomics[atomic], &nothing),
            Operation::Store(atomic, value) => done(0, &|next| next.atomics[atomic] = value),
            Operation::Exchange(atomic, value) => done(self.atomics[atomic], &|next| next.atomics[atomic] = value),
            Operation::Add(atomic, value) => done(self.atomics[atomic], &|next| next.atomics[atomic] += value),
            Operation::CompareExchange { atomic, expected, desired } => done(self.atomics[atomic], &|next| {
                if next.atomics[atomic] == expected {
                    next.atomics[atomic] = desired;
                }
            }),

            Operation::Read(plain) => done(self.plains[plain], &nothing),
            Operation::Write(plain, value) => done(0, &|next| next.plains[plain] = value),
            Operation::Increment(plain) => match self.threads[thread].stage {
                Stage::Has(value) => done(value, &|next| next.plains[plain] = value + 1),
                _ => vec![self.staged(thread, Stage::Has(self.plains[plain]))],
            },

            Operation::Lock(_) | Operation::TryLock(_) | Operation::TimedLock(_) => {
                self.after_lock(program, thread, operation)
            }
            Operation::Unlock(mutex) => done(0, &|next| next.threads[thread].holds[mutex] -= 1),

            Operation::Wait { mutex, .. } | Operation::TimedWait { mutex, .. } => {
                self.after_wait(program, thread, mutex, matches!(operation, Operation::TimedWait { .. }))
            }
            Operation::WaitUntil { mutex, plain, value, .. } => match self.threads[thread].stage {
                Stage::Begin if self.plains[plain] == value => done(0, &nothing),
                Stage::Begin => vec![self.staged(thread, Stage::Round(0))],
                Stage::Round(_) => vec![self.queue_with(thread, mutex)],
                Stage::Woken if self.is_free(mutex) => {
                    let mut next = self.staged(thread, Stage::Begin);
                    next.threads[thread].holds[mutex] = 1;
                    vec![next]
                }
                _ => Vec::new(),
            },
            Operation::Signal(condition) => {
                let waiting = self.waiting_for(program, condition);
                let woken = waiting.iter().map(|&waiter| self.woken(&[waiter]).done(program, thread, 0, nothing));
                if waiting.is_empty() { done(0, &nothing) } else { woken.collect() }
            }
            Operation::Broadcast(condition) => {
                let woken = self.woken(&self.waiting_for(program, condition));
                vec![woken.done(program, thread, 0, nothing)]
            }

            Operation::SemaphoreWait | Operation::SemaphoreTryWait | Operation::SemaphoreTimedWait => match operation {
                _ if self.semaphore > 0 => done(0, &|next| next.semaphore -= 1),
                Operation::SemaphoreTryWait => done(BUSY, &nothing),
                Operation::SemaphoreTimedWait => done(TIMED_OUT, &nothing),
                _ => Vec::new(),
            },
            Operation::SemaphorePost => done(0, &|next| next.semaphore += 1),

            Operation::FutexWait { atomic, expected } | Operation::FutexTimedWait { atomic, expected } => {
                match self.threads[thread].stage {
                    Stage::Begin if self.atomics[atomic] != expected => done(BUSY, &nothing),
                    Stage::Begin => vec![self.staged(thread, Stage::Queued)],
                    Stage::Woken => done(0, &nothing),
                    _ if matches!(operation, Operation::FutexTimedWait { .. }) => done(TIMED_OUT, &nothing),
                    _ => Vec::new(),
                }
            }
            Operation::FutexWake { atomic, most } => {
                let waiting = self.waiting_at(program, atomic);
                let count = waiting.len().min(most as usize);
                let chosen = subsets(&waiting, count);
                chosen.iter().map(|chosen| self.woken(chosen).done(program, thread, count as i32, nothing)).collect()
            }

            Operation::ReadLock | Operation::TryReadLock | Operation::WriteLock | Operation::TryWriteLock => {
                self.after_read_write_lock(program, thread, operation)
            }
            Operation::ReadWriteUnlock => done(0, &|next| {
                let this = &mut next.threads[thread];
                if this.writes {
                    this.writes = false;
                } else {
                    this.reads -= 1;
                }
            }),

            Operation::Sleep | Operation::Pause(_) => done(0, &nothing),
            Operation::Spin { atomic, value, rounds, .. } => {
                let round = match self.threads[thread].stage {
                    Stage::Round(round) => round,
                    _ => 0,
                };
                if self.atomics[atomic] == value {
                    done(1, &nothing)
                } else if round + 1 == rounds {
                    done(0, &nothing)
                } else {
                    vec![self.staged(thread, Stage::Round(round + 1))]
                }
            }
        }
    }

    fn after_lock(&self, program: &Program, thread: usize, operation: Operation) -> Vec<Self> {
        let (Operation::Lock(mutex) | Operation::TryLock(mutex) | Operation::TimedLock(mutex)) = operation else {
            unreachable!("it locks a mutex");
        };
        let kind = program.mutexes[mutex];
        let again = self.threads[thread].holds[mutex] > 0;
        if self.is_free(mutex) || again && kind == MutexKind::Recursive {
            return vec![self.done(program, thread, 0, |next| next.threads[thread].holds[mutex] += 1)];
        }
        let value = match operation {
            Operation::TryLock(_) => BUSY,
            _ if again && kind == MutexKind::ErrorCheck => DEADLOCK,
            Operation::TimedLock(_) => TIMED_OUT,
            _ => return Vec::new(),
        };
        vec![self.done(program, thread, value, |_| {})]
    }

    /// Gives up the mutex and waits for a condition with it, in one step.
    fn queue_with(&self, thread: usize, mutex: usize) -> Self {
        let mut next = self.staged(thread, Stage::Queued);
        next.threads[thread].holds[mutex] = 0;
        next
    }

    fn after_wait(&self, program: &Program, thread: usize, mutex: usize, timed: bool) -> Vec<Self> {
        let take = |value| self.done(program, thread, value, |next| next.threads[thread].holds[mutex] = 1);
        match self.threads[thread].stage {
            Stage::Begin => vec![self.queue_with(thread, mutex)],
            Stage::Queued if timed => vec![self.staged(thread, Stage::TimedOut)],
            Stage::Woken if self.is_free(mutex) => vec![take(0)],
            Stage::TimedOut if self.is_free(mutex) => vec![take(TIMED_OUT)],
            _ => Vec::new(),
        }
    }

    fn after_read_write_lock(&self, program: &Program, thread: usize, operation: Operation) -> Vec<Self> {
        let this = &self.threads[thread];
        let to_write = matches!(operation, Operation::WriteLock | Operation::TryWriteLock);
        let is_try = matches!(operation, Operation::TryReadLock | Operation::TryWriteLock);
        let read = self.threads.iter().any(|thread| thread.reads > 0);
        let written = self.is_any_other(thread, |other| other.writes) || this.writes;
        if !(written || to_write && read) {
            let take = |next: &mut Self| {
                let this = &mut next.threads[thread];
                this.writes = to_write;
                this.reads += u32::from(!to_write);
            };
            return vec![self.done(program, thread, 0, take)];
        }
        match is_try {
            true => vec![self.done(program, thread, BUSY, |_| {})],
            false if this.writes => vec![self.done(program, thread, DEADLOCK, |_| {})],
            false => Vec::new(),
        }
    }

    /// What the thread's next step does to a plain variable: which, and whether it writes.
    fn access(&self, program: &Program, thread: usize) -> Option<(usize, bool)> {
        match (self.operation(program, thread)?, self.threads[thread].stage) {
            (Operation::Read(plain), _) => Some((plain, false)),
            (Operation::Write(plain, _), _) => Some((plain, true)),
            (Operation::Increment(plain), stage) => Some((plain, stage != Stage::Begin)),
            (Operation::WaitUntil { plain, .. }, Stage::Begin) => Some((plain, false)),
            _ => None,
        }
    }

    fn races(&self, program: &Program) -> bool {
        let accesses: Vec<_> = (0..self.threads.len()).filter_map(|thread| self.access(program, thread)).collect();
        let conflict = |one: &(usize, bool), other: &(usize, bool)| one.0 == other.0 && (one.1 || other.1);
        accesses.iter().enumerate().any(|(at, one)| accesses[at + 1..].iter().any(|other| conflict(one, other)))
    }
}

/// Every choice of `count` of these.
fn subsets(from: &[usize], count: usize) -> Vec<Vec<usize>> {
    match from {
        _ if count == 0 => vec![Vec::new()],
        [] => Vec::new(),
        [first, rest @ ..] => {
            let with = subsets(rest, count - 1).into_iter().map(|chosen| [vec![*first], chosen].concat());
            with.chain(subsets(rest, count)).collect()
        }
    }
}
