//! Toy programs under the controller, without any engine: for tests of strategies.

use super::controller::{Controller, Next};
use crate::model::execution::{Ending, ThreadId};
use crate::model::left_out::LeftOut;
use crate::model::op::OpKind;
use crate::model::schedule::{Injection, Schedule};
use crate::protocol::Trace;
use crate::strategy::{Replay, Strategy, Use};
use crate::task_graph::Injections;

/// An operation of a toy thread. Objects, mutexes and conditions are numbers, all different things.
#[derive(Clone, Copy, Debug)]
pub enum Instruction {
    /// Loads into the thread's next register.
    Load(usize),
    Store(usize, i64),
    /// Stores the last register plus this.
    StoreLast(usize, i64),
    /// Adds, and puts what was there into the next register.
    Add(usize, i64),
    /// Loads until it finds this, without a word to anybody; the flag says whether it yields after each load.
    Await(usize, i64, bool),
    /// Loads so often, with a yield after each load if the flag says so, and puts the last value into the next register.
    Poll(usize, u32, bool),
    /// Yields for ever.
    Idle,
    Lock(usize),
    Unlock(usize),
    /// Waits for a condition with a mutex; a 1 in the next register if the time was up first.
    Wait {
        condition: usize,
        mutex: usize,
        limit: Option<u64>,
    },
    Notify(usize),
    /// Starts a thread with this code.
    Start(usize),
    /// Waits for the end of this thread.
    Join(ThreadId),
    /// A file call, and which injection it met in the next register, 0 for none.
    File,
}

/// Codes, the first of which is that of thread 0.
pub type Program = Vec<Vec<Instruction>>;

/// What came of an execution.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outcome {
    pub completed: bool,
    pub stuck: bool,
    pub points: u64,
    /// Those of each thread.
    pub registers: Vec<Vec<i64>>,
    pub objects: Vec<i64>,
}

impl Outcome {
    /// What can be told of it from within the program.
    pub fn seen(&self) -> (bool, &[Vec<i64>], &[i64]) {
        (self.completed, &self.registers, &self.objects)
    }
}

const OBJECTS: usize = 4;
const BUDGET: u64 = 40_000;

struct Thread {
    code: usize,
    at: usize,
    /// It has passed the scheduling point of the operation that it is at.
    passed: bool,
    /// It gave up the mutex and was woken, or its time was up.
    waited: bool,
    /// Loads of a `Poll` that were made.
    polls: u32,
    /// The second half of a round of an `Await` or a `Poll`.
    yields: bool,
    ended: bool,
    registers: Vec<i64>,
}

/// A controller with one strategy.
pub struct Simulator {
    controller: Controller,
    injections: Injections,
}

impl Simulator {
    pub fn new(strategy: Box<dyn Strategy + Send>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let trace = Trace::create(&folder.path().join("trace")).expect("a trace");
        let mut controller = Controller::new(trace, strategy);
        controller.lies_still(0..usize::MAX);
        Self { controller, injections: Injections::default() }
    }

    pub fn with_injections(mut self, injections: Injections) -> Self {
        self.injections = injections;
        self
    }

    pub fn search_ended(&mut self) -> bool {
        self.controller.search_ended()
    }

    pub fn left_out(&self) -> LeftOut {
        self.controller.left_out()
    }

    /// Points of the last execution at which no strategy was asked, since a thread stayed in its loop.
    pub fn stayed(&self) -> u64 {
        self.controller.stayed()
    }

    pub fn forget(&mut self) {
        self.controller.forget();
    }

    pub fn schedule(&mut self) -> Schedule {
        self.controller.trace().schedule()
    }

    /// Executes once more what the schedule says.
    pub fn replay(&mut self, program: &Program, schedule: Schedule) -> Outcome {
        let explorer = self.controller.set_strategy(Box::new(Replay::new(schedule)), true);
        let outcome = self.run(program, 0);
        self.controller.set_strategy(explorer, false);
        outcome
    }

    pub fn run(&mut self, program: &Program, seed: u64) -> Outcome {
        let expected = program.iter().map(|code| code.len() as u64 * 2).sum();
        self.controller.trace().begin(seed);
        self.controller.begin(seed, BUDGET.into(), expected, self.injections);
        let mut execution = Execution {
            program,
            controller: &mut self.controller,
            threads: vec![fresh(0)],
            objects: [0; OBJECTS],
            owners: [None; OBJECTS],
        };
        while execution.step() {}
        let (threads, objects) = (execution.threads, execution.objects);
        self.controller.trace().finish();
        let points = self.controller.trace().points();
        let ending = self.controller.take_ending();
        assert!(!matches!(ending, Ending::Diverged { .. }), "{ending:?}");
        Outcome {
            completed: ending == Ending::Completed,
            stuck: matches!(ending, Ending::Stuck(_)),
            points,
            registers: threads.into_iter().map(|thread| thread.registers).collect(),
            objects: objects.to_vec(),
        }
    }
}

fn fresh(code: usize) -> Thread {
    Thread { code, at: 0, passed: false, waited: false, polls: 0, yields: false, ended: false, registers: Vec::new() }
}

struct Execution<'a> {
    program: &'a Program,
    controller: &'a mut Controller,
    threads: Vec<Thread>,
    objects: [i64; OBJECTS],
    owners: [Option<ThreadId>; OBJECTS],
}

/// Made-up addresses, far enough from each other.
fn object(number: usize) -> usize {
    0x1000 + number * 64
}

fn mutex(number: usize) -> usize {
    0x2000 + number * 64
}

fn condition(number: usize) -> usize {
    0x3000 + number * 64
}

fn thread_object(thread: ThreadId) -> usize {
    0x10_0000 + usize::from(thread) * 64
}

impl Execution<'_> {
    /// The running thread goes on to its next point, or makes the operation there; whether anybody can go on.
    fn step(&mut self) -> bool {
        let current = self.controller.current();
        let thread = &mut self.threads[usize::from(current)];
        if thread.passed {
            return self.perform(current);
        }
        thread.passed = true;
        let op = self.program[thread.code].get(thread.at).copied();
        let (kind, object) = match op {
            Some(Instruction::Load(number)) => (OpKind::Load, object(number)),
            Some(Instruction::Await(..) | Instruction::Poll(..)) if thread.yields => (OpKind::Yield, 0),
            Some(Instruction::Await(number, ..) | Instruction::Poll(number, ..)) => (OpKind::Load, object(number)),
            Some(Instruction::Store(number, _) | Instruction::StoreLast(number, _)) => (OpKind::Store, object(number)),
            Some(Instruction::Add(number, _)) => (OpKind::ReadModifyWrite, object(number)),
            Some(Instruction::Idle) => (OpKind::Yield, 0),
            Some(Instruction::Lock(number)) => (OpKind::Lock, mutex(number)),
            Some(Instruction::Unlock(number)) => (OpKind::Unlock, mutex(number)),
            Some(Instruction::Wait { condition: number, .. }) => (OpKind::ConditionWait, condition(number)),
            Some(Instruction::Notify(number)) => (OpKind::ConditionNotify, condition(number)),
            Some(Instruction::Start(_)) => (OpKind::ThreadCreate, 0),
            Some(Instruction::Join(other)) => (OpKind::ThreadJoin, thread_object(other)),
            Some(Instruction::File) => (OpKind::File, 0),
            None => (OpKind::ThreadEnd, thread_object(current)),
        };
        // As the hooks do: locks and the like do not know where they are called.
        let place = if object < mutex(0) { 0x40_0000 + thread.code * 256 + thread.at } else { 0 };
        if self.controller.count(kind) {
            let waits = matches!(kind, OpKind::Lock | OpKind::ThreadJoin);
            let next = self.controller.decide(kind, waits, 4, object, place);
            return next != Next::Stop;
        }
        true
    }

    fn perform(&mut self, current: ThreadId) -> bool {
        let thread = &mut self.threads[usize::from(current)];
        match self.program[thread.code].get(thread.at).copied() {
            Some(Instruction::Load(number)) => thread.registers.push(self.objects[number]),
            Some(Instruction::Store(number, value)) => self.objects[number] = value,
            Some(Instruction::StoreLast(number, more)) => {
                self.objects[number] = thread.registers.last().unwrap_or(&0) + more
            }
            Some(Instruction::Add(number, more)) => {
                thread.registers.push(self.objects[number]);
                self.objects[number] += more;
            }
            Some(Instruction::Await(number, value, polite)) => {
                thread.yields = polite && !thread.yields && self.objects[number] != value;
                if thread.yields || self.objects[number] != value {
                    thread.passed = false;
                    return true;
                }
            }
            Some(Instruction::Poll(number, rounds, polite)) => {
                thread.polls += u32::from(!thread.yields);
                thread.yields = polite && !thread.yields;
                if thread.yields || thread.polls < rounds {
                    thread.passed = false;
                    return true;
                }
                thread.polls = 0;
                thread.registers.push(self.objects[number]);
            }
            Some(Instruction::Idle) => {
                thread.passed = false;
                return true;
            }
            Some(Instruction::Lock(number)) => {
                if !self.take(current, number) {
                    self.controller.takes_after_wait(mutex(number));
                    return self.controller.block(mutex(number), "lock", None) != Next::Stop;
                }
            }
            Some(Instruction::Unlock(number)) => self.give_up(number),
            Some(Instruction::Wait { condition: number, mutex: held, limit }) => {
                if !thread.waited {
                    thread.waited = true;
                    self.give_up(held);
                    let deadline = limit.map(|limit| self.controller.now() + limit);
                    self.controller.takes_after_wait(mutex(held));
                    return self.controller.block(condition(number), "wait", deadline) != Next::Stop;
                }
                let timed_out = self.controller.wake() == super::controller::Wake::TimedOut;
                if !self.take(current, held) {
                    self.controller.takes_after_wait(mutex(held));
                    return self.controller.block(mutex(held), "lock", None) != Next::Stop;
                }
                let thread = &mut self.threads[usize::from(current)];
                thread.waited = false;
                thread.registers.push(timed_out.into());
            }
            Some(Instruction::Notify(number)) => {
                self.controller.wake_one(condition(number));
            }
            Some(Instruction::Start(code)) => {
                self.controller.add_thread().expect("room");
                self.threads.push(fresh(code));
            }
            Some(Instruction::Join(other)) => {
                if !self.threads[usize::from(other)].ended {
                    return self.controller.block(thread_object(other), "join", None) != Next::Stop;
                }
            }
            Some(Instruction::File) => {
                let injected = self.controller.inject(|injection| injection != Injection::Crash);
                let thread = &mut self.threads[usize::from(current)];
                thread.registers.push(injected.map_or(0, |injection| 1 + injection as i64));
            }
            None => {
                thread.ended = true;
                self.controller.wake_all(thread_object(current));
                return self.controller.end_thread() != Next::Stop;
            }
        }
        let thread = &mut self.threads[usize::from(current)];
        thread.at += 1;
        thread.passed = false;
        true
    }

    fn take(&mut self, current: ThreadId, number: usize) -> bool {
        let free = self.owners[number].is_none();
        if free {
            self.owners[number] = Some(current);
            self.controller.report(Use::Took(mutex(number)));
        }
        free
    }

    fn give_up(&mut self, number: usize) {
        self.owners[number] = None;
        self.controller.report(Use::GaveUp(mutex(number)));
        self.controller.wake_all(mutex(number));
    }
}
