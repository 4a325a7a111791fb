//! The steps of the current execution and what each touches, as the controller tells of it.

use super::distinct::{Distinct, Placed};
use super::footprint::{Access, FILES, Item, LARGEST, Names, THREADS, Touched, is_known_wait};
use super::order::{Event, NONE, touched};
use super::tree::Way;
use crate::model::execution::ThreadId;
use crate::model::op::{Op, OpKind};
use crate::strategy::{Decision, Use};

/// Bytes of a lock and the like that others are about as well: all are as large at least.
const LOCK: usize = 4;
/// What a step touched last is not noted again, as far back as this.
const RECENT: usize = 32;
/// Addresses below are none of objects.
const FIRST_ADDRESS: usize = 16;

#[derive(Clone, Copy)]
struct Thread {
    /// The step that made it able to go on, until it goes on.
    after: u32,
    /// What it waits for, or waited.
    waits_for: usize,
    timed_out: bool,
    /// What it did last, other than to go on after a wait.
    last: OpKind,
}

const NEW: Thread = Thread { after: NONE, waits_for: 0, timed_out: false, last: OpKind::Wait };

pub struct Record {
    pub names: Names,
    pub events: Vec<Event>,
    pub items: Vec<Item>,
    /// Steps of this execution.
    depth: usize,
    /// The execution follows so many steps of the one before, and then `plan`.
    pub kept: usize,
    plan: Option<Way>,
    /// The step that is made now, if one is.
    is_open: bool,
    op: Op,
    touches: Vec<Item>,
    everything: bool,
    /// Of an atomic operation that the memory model has placed.
    placed: Option<Placed>,
    way: Way,
    picks: usize,
    strayed: u64,
    /// The program was ended by the last step.
    pub stopped: bool,
    threads: Vec<Thread>,
    /// Locks that are taken, by whom.
    taken: Vec<(usize, ThreadId)>,
    ended: Vec<usize>,
    main_ended: bool,
    /// Steps that ended a wait, of whom.
    pub woken: Vec<(u32, ThreadId)>,
    /// Who could not go on at the last choice, since this lock was taken.
    barred: Vec<(ThreadId, usize)>,
}

impl Record {
    pub fn new() -> Self {
        Self {
            names: Names::new(),
            events: Vec::new(),
            items: Vec::new(),
            depth: 0,
            kept: 0,
            plan: None,
            is_open: false,
            op: Op::NOTHING,
            touches: Vec::new(),
            everything: false,
            placed: None,
            way: Way { thread: 0, timed_out: false },
            picks: 0,
            strayed: 0,
            stopped: false,
            threads: Vec::new(),
            taken: Vec::new(),
            ended: Vec::new(),
            main_ended: false,
            woken: Vec::new(),
            barred: Vec::new(),
        }
    }

    /// Another workload.
    pub fn forget(&mut self) {
        self.names.forget();
        self.keep_nothing();
    }

    /// A new execution.
    pub fn begin(&mut self) {
        self.names.begin();
        self.depth = 0;
        self.is_open = false;
        self.stopped = false;
        self.threads.clear();
        self.taken.clear();
        self.ended.clear();
        self.main_ended = false;
        self.woken.clear();
        self.barred.clear();
    }

    /// The execution is over; how often it did otherwise than the one that it followed.
    pub fn end(&mut self, distinct: &mut Distinct) -> u64 {
        self.close(distinct);
        if self.stopped
            && let Some(last) = self.events.last_mut()
            && self.depth > self.kept
        {
            last.everything = true;
        }
        self.strayed += u64::from(self.depth <= self.kept && self.plan.is_some());
        std::mem::take(&mut self.strayed)
    }

    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Passing names that are known before the next step.
    pub fn known(&self) -> u32 {
        self.names.known()
    }

    pub fn way(&self, step: usize) -> Way {
        self.events[step].way
    }

    pub fn touched(&self, step: usize) -> Touched<'_> {
        touched(&self.events[step], &self.items)
    }

    /// The step that is made now.
    pub fn current(&self) -> Option<usize> {
        if self.is_open { self.depth.checked_sub(1) } else { None }
    }

    /// The number of the next choice within the step.
    pub fn count_pick(&mut self) -> usize {
        self.picks += 1;
        self.picks - 1
    }

    /// How the execution is to go on, where that is settled.
    pub fn planned(&self) -> Option<Way> {
        if self.depth < self.kept { Some(self.events[self.depth].way) } else { self.plan }
    }

    pub fn plan(&mut self, way: Way) {
        self.plan = Some(way);
    }

    /// The next execution follows this one up to that step, and makes it this way.
    pub fn keep(&mut self, step: usize, way: Way) {
        self.items.truncate(self.events[step].items.0 as usize);
        self.events.truncate(step);
        self.kept = step;
        self.plan = Some(way);
    }

    pub fn keep_nothing(&mut self) {
        self.items.clear();
        self.events.clear();
        self.kept = 0;
        self.plan = None;
    }

    /// This execution does not go the way of the one before.
    pub fn stray(&mut self) {
        if self.depth < self.kept {
            self.items.truncate(self.events[self.depth].items.0 as usize);
            self.events.truncate(self.depth);
            self.kept = self.depth;
        }
        self.plan = None;
    }

    pub fn is_timed_out(&self, thread: ThreadId) -> bool {
        self.threads.get(usize::from(thread)).is_some_and(|thread| thread.timed_out)
    }

    fn thread(&mut self, thread: ThreadId) -> &mut Thread {
        let place = usize::from(thread);
        if self.threads.len() <= place {
            self.threads.resize(place + 1, NEW);
        }
        &mut self.threads[place]
    }

    /// Who could go on: threads that are about to take a lock that is taken, or to join one that has not ended, only where
    /// there is nobody else.
    pub fn enabled(&mut self, decision: &Decision<'_>, enabled: &mut Vec<Way>) {
        enabled.clear();
        self.barred.clear();
        for thread in decision.runnable.iter() {
            let op = &decision.pending[usize::from(thread)];
            if !self.is_barred(thread, op) {
                enabled.push(Way { thread, timed_out: false });
            } else if op.kind != OpKind::ThreadJoin {
                self.barred.push((thread, op.object));
            }
        }
        enabled.extend(decision.sleeping.iter().map(|sleeper| Way { thread: sleeper.thread, timed_out: true }));
        if enabled.is_empty() {
            enabled.extend(decision.runnable.iter().map(|thread| Way { thread, timed_out: false }));
        }
    }

    fn is_barred(&self, thread: ThreadId, op: &Op) -> bool {
        match op.kind {
            _ if !op.waits => false,
            OpKind::ThreadJoin => !self.ended.contains(&op.object),
            _ => self.taken.iter().any(|&(lock, owner)| lock == op.object && owner != thread),
        }
    }

    /// Who could not go on at the last choice, with the name of the lock that was taken and what made the thread come there.
    pub fn barred(&mut self) -> Vec<(ThreadId, u32, u32)> {
        let barred = std::mem::take(&mut self.barred);
        barred.into_iter().map(|(thread, lock)| (thread, self.lock(lock), self.thread(thread).after)).collect()
    }

    fn lock(&mut self, address: usize) -> u32 {
        let mut items = Vec::new();
        self.names.add(&mut items, address, LOCK, Access::Look);
        items[0].name
    }

    /// A step begins.
    pub fn step(&mut self, way: Way, op: &Op) {
        let thread = *self.thread(way.thread);
        self.depth += 1;
        self.is_open = true;
        self.op = *op;
        self.picks = 0;
        self.touches.clear();
        self.everything = false;
        (self.placed, self.way) = (None, way);
        let (mut takes, mut joins) = (NONE, false);
        let stuck = !way.timed_out && self.is_barred(way.thread, op);
        if way.timed_out {
            // What it takes after the wait is told as it does.
            self.op = Op::new(OpKind::Wait, 0);
            self.touch(thread.waits_for, LOCK, Access::Change);
        } else {
            self.begin_with(way.thread, op, thread.last);
            if op.waits && op.kind != OpKind::ThreadJoin {
                takes = self.touches[0].name;
            }
            joins = op.waits && op.kind == OpKind::ThreadJoin;
        }
        if op.kind == OpKind::ThreadEnd {
            self.ended.push(op.object);
            self.main_ended |= way.thread == 0;
        }
        let entry = self.thread(way.thread);
        let after = std::mem::replace(&mut entry.after, NONE);
        entry.timed_out = false;
        if op.kind != OpKind::Wait {
            entry.last = op.kind;
        }
        if self.depth > self.kept {
            self.plan = None;
            let start = self.items.len() as u32;
            let items = (start, start);
            self.events.push(Event { way, everything: false, items, after, takes, took: NONE, joins, stuck, index: 0 });
        }
    }

    /// What the operation says that a step touches, which begins with it.
    fn begin_with(&mut self, thread: ThreadId, op: &Op, last: OpKind) {
        let size = usize::try_from(op.size).unwrap_or(0);
        let access = match op.kind {
            OpKind::Fence | OpKind::Pause | OpKind::Yield | OpKind::Sleep => return,
            OpKind::Load | OpKind::PlainLoad => return self.touch_memory(op.object, size, Access::Look),
            OpKind::Store
            | OpKind::Exchange
            | OpKind::CompareExchange
            | OpKind::ReadModifyWrite
            | OpKind::PlainStore => return self.touch_memory(op.object, size, Access::Change),
            OpKind::ThreadCreate => return self.touches.push(Item::whole(THREADS, Access::Change)),
            OpKind::File => return self.touches.push(Item::whole(FILES, Access::Change)),
            // The end of the first thread may be that of the program, and later that of the last one.
            OpKind::ThreadEnd if thread != 0 && !self.main_ended => {
                return self.touch_thread(op.object, Access::Change);
            }
            OpKind::ThreadJoin if op.object != 0 => {
                return self.touch_thread(op.object, if op.waits { Access::Look } else { Access::Change });
            }
            // It begins, or its sleep is over.
            OpKind::Wait if op.object < FIRST_ADDRESS => return,
            // It takes what it had to wait for; that it did is told.
            _ if op.waits => Access::Look,
            OpKind::Wait if !is_known_wait(last) => return self.everything = true,
            OpKind::Lock
            | OpKind::SharedLock
            | OpKind::TryLock
            | OpKind::Unlock
            | OpKind::SemaphoreWait
            | OpKind::BarrierWait
            | OpKind::Wait => Access::Change,
            OpKind::ConditionWait | OpKind::SemaphorePost => Access::Share,
            OpKind::ConditionNotify | OpKind::FutexWait | OpKind::FutexWake | OpKind::SemaphoreLook => Access::Look,
            // A look at the clock depends on every step, and of the others too little is known.
            _ => return self.everything = true,
        };
        if op.object < FIRST_ADDRESS {
            self.everything = true;
        } else {
            self.touch(op.object, LOCK, access);
        }
    }

    fn touch(&mut self, address: usize, size: usize, access: Access) {
        if address >= FIRST_ADDRESS {
            self.touch_memory(address, size, access);
        }
    }

    fn touch_memory(&mut self, address: usize, size: usize, access: Access) {
        if !self.names.add(&mut self.touches, address, size, access) {
            self.everything = true;
        }
    }

    fn touch_thread(&mut self, object: usize, access: Access) {
        let name = self.names.lasting(object);
        self.touches.push(Item::whole(name, access));
    }

    /// The step does something besides its operation, or is told what that came to.
    pub fn uses(&mut self, thread: ThreadId, how: Use) {
        match how {
            Use::TimedOut => return self.thread(thread).timed_out = true,
            Use::Resumed(other) => {
                let step = self.depth.checked_sub(1).map_or(NONE, |step| step as u32);
                self.thread(other).after = step;
                return self.woken.push((step, other));
            }
            Use::Took(lock) => {
                self.taken.retain(|&(other, _)| other != lock);
                self.taken.push((lock, thread));
            }
            Use::GaveUp(lock) => self.taken.retain(|&(other, _)| other != lock),
            Use::Waits(object) => self.thread(thread).waits_for = object,
            Use::Stopped => self.stopped = true,
            Use::Placed { object, number, source, writes } => {
                return self.placed = Some(Placed { object, number, source, writes });
            }
            Use::Wakes { .. } | Use::Looked(_) | Use::Changed(_) | Use::Own { .. } | Use::Elsewhere => {}
        }
        if !self.is_open {
            return;
        }
        let of_op = |object: usize| object == self.op.object;
        match how {
            Use::Took(lock) => {
                self.touch(lock, LOCK, Access::Change);
                let name = self.touches.last().map_or(NONE, |item| item.name);
                if self.depth > self.kept
                    && let Some(event) = self.events.last_mut()
                {
                    event.took = name;
                }
            }
            Use::GaveUp(lock) => self.touch(lock, LOCK, Access::Change),
            Use::Waits(object) => match self.op.kind {
                OpKind::Lock | OpKind::SharedLock if of_op(object) => self.only_looked(),
                OpKind::ConditionWait | OpKind::ThreadJoin | OpKind::Wait if of_op(object) => {}
                OpKind::ConditionWait | OpKind::Wait => self.touch(object, LOCK, Access::Look),
                OpKind::FutexWait => self.touch(object, LOCK, Access::Share),
                _ => self.touch(object, LOCK, Access::Change),
            },
            Use::Wakes { object, anyone } => match self.op.kind {
                OpKind::ConditionNotify | OpKind::FutexWake | OpKind::SemaphorePost if of_op(object) && !anyone => {}
                OpKind::ThreadEnd if of_op(object) => {}
                _ => self.touch(object, LOCK, Access::Change),
            },
            Use::Looked(object) => match self.op.kind {
                OpKind::TryLock | OpKind::File if of_op(object) => self.only_looked(),
                _ => self.touch(object, LOCK, Access::Look),
            },
            Use::Changed(object) => self.touch(object, LOCK, Access::Change),
            Use::Own { address, size, changes } => {
                self.access_unseen(address, size, if changes { Access::Change } else { Access::Look });
            }
            Use::Elsewhere => self.touches.clear(),
            Use::TimedOut | Use::Resumed(_) | Use::Stopped | Use::Placed { .. } => {}
        }
    }

    fn access_unseen(&mut self, address: usize, size: u32, access: Access) {
        let size = if size == 0 { LARGEST } else { LARGEST.min(size as usize) };
        let before = self.touches.len();
        self.names.add(&mut self.touches, address, size, access);
        let recent = before.saturating_sub(RECENT);
        let mut kept = before;
        for index in before..self.touches.len() {
            let item = Item { is_unseen: true, ..self.touches[index] };
            if !self.touches[recent..kept].contains(&item) {
                self.touches[kept] = item;
                kept += 1;
            }
        }
        self.touches.truncate(kept);
    }

    /// The operation found that it cannot be made.
    fn only_looked(&mut self) {
        if let Some(first) = self.touches.first_mut() {
            first.access = Access::Look;
        }
    }

    /// The step is over, if one was made.
    pub fn close(&mut self, distinct: &mut Distinct) {
        if !std::mem::replace(&mut self.is_open, false) {
            return;
        }
        distinct.add(self.way, self.everything, &self.touches, self.placed);
        let number = self.depth - 1;
        if number < self.kept {
            let before = self.touched(number);
            // It touches what it touched before, or the program depends on more than choices.
            if before.everything != self.everything || before.items != self.touches {
                self.strayed += 1;
            }
            return;
        }
        self.items.extend_from_slice(&self.touches);
        let event = &mut self.events[number];
        event.items.1 = self.items.len() as u32;
        event.everything = self.everything;
    }
}
