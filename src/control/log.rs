//! The log of one execution: every scheduling point, and where in the program under check it was passed. For people, so
//! it is kept only on request.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ops::{ControlFlow, Range};

use super::backtrace::{self, Frame};
use crate::model::execution::{Aside, Happened, Object, Step, ThreadId, Value};
use crate::model::op::OpKind;
use crate::protocol::Steps;
use crate::protocol::steps::{MAX_FRAMES, MAX_STEPS};

/// When an operation is made.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    /// A digest of which threads can run.
    pub runnable: u64,
    /// Points that the execution has passed.
    pub point: u64,
}

/// Where the points of an execution go that is looked at.
pub(super) struct Log {
    program: Range<usize>,
    code: Range<usize>,
    steps: RefCell<Vec<Step>>,
    /// Where they are kept in case that the process dies, with what they read and wrote.
    file: Option<RefCell<Steps>>,
    /// What the last step was on, if what it holds is to be told.
    last: Cell<(usize, usize)>,
    /// What each thread was last seen to wait in, if it did.
    blocked: RefCell<Vec<Option<&'static str>>>,
}

impl Log {
    /// Of a program that was loaded to that range, its code to a part of it.
    pub fn new(program: Range<usize>, code: Range<usize>, file: Option<Steps>) -> Self {
        let (file, last) = (file.map(RefCell::new), Cell::new((0, 0)));
        Self { program, code, steps: RefCell::default(), file, last, blocked: RefCell::default() }
    }

    /// Notes what happened after the steps so far.
    pub fn note(&self, what: Happened) {
        if let Some(file) = &self.file {
            file.borrow_mut().put_aside(&Aside { step: self.steps.borrow().len(), what });
        }
    }

    /// Notes who waits now and did not before, and who waits no more; `threads` are all, with what each waits in.
    pub fn note_waits(&self, threads: impl Iterator<Item = Option<&'static str>>) {
        let mut known = self.blocked.borrow_mut();
        for (thread, now) in threads.enumerate() {
            if known.len() == thread {
                known.push(None);
            }
            let before = std::mem::replace(&mut known[thread], now);
            if before != now && before.is_some() {
                self.note(Happened::Unblocked(thread as ThreadId));
            }
            if let Some(primitive) = now.filter(|_| before != now) {
                self.note(Happened::Blocked(thread as ThreadId, primitive.to_owned()));
            }
        }
    }

    /// The object is so many bytes, or 0 if it holds nothing to tell.
    pub fn add(&self, thread: ThreadId, kind: OpKind, (object, size): (usize, usize), moment: Moment) {
        self.push(thread, kind, (self.object(object), object, size), moment);
    }

    /// As `add`, of an operation on another thread, or the end of a thread.
    pub fn add_on_thread(&self, thread: ThreadId, kind: OpKind, other: ThreadId, moment: Moment) {
        self.push(thread, kind, (Object::Thread(other), 0, 0), moment);
    }

    fn object(&self, object: usize) -> Object {
        if object == 0 {
            Object::Nothing
        } else if self.program.contains(&object) {
            Object::Variable((object - self.program.start) as u64)
        } else {
            Object::Memory(object as u64)
        }
    }

    /// What the last step was on is what that step made of it: nobody has done anything else since.
    fn push(&self, thread: ThreadId, kind: OpKind, (object, address, size): (Object, usize, usize), moment: Moment) {
        self.end_last();
        let mut steps = self.steps.borrow_mut();
        if steps.len() >= MAX_STEPS {
            return;
        }
        let (frames, stack) = self.frames();
        let Moment { runnable, point } = moment;
        let mut step = Step { thread, kind, object, runnable, point, frames, stack: Vec::new(), value: None, older: 0 };
        if let Some(file) = &self.file {
            step.stack = stack;
            step.value = peek(address, size).map(|before| Value { size: size as u8, before, after: before });
            self.last.set((address, size));
            file.borrow_mut().put(steps.len(), &step);
        }
        steps.push(step);
    }

    /// The last step is on an older store, by so many, whose value lies there.
    pub fn note_older(&self, (address, size): (usize, usize), by: u16) {
        let mut steps = self.steps.borrow_mut();
        let last = steps.len().saturating_sub(1);
        let Some(step) = steps.last_mut() else { return };
        step.older = by;
        if let Some(file) = &self.file {
            step.value = peek(address, size).map(|before| Value { size: size as u8, before, after: before });
            self.last.set((address, size));
            file.borrow_mut().put(last, step);
        }
    }

    /// Notes what the last step left where it was.
    fn end_last(&self) {
        let (address, size) = self.last.replace((0, 0));
        let (Some(file), Some(after)) = (&self.file, peek(address, size)) else { return };
        let mut steps = self.steps.borrow_mut();
        let last = steps.len().saturating_sub(1);
        if let Some(step) = steps.last_mut()
            && let Some(value) = &mut step.value
        {
            value.after = after;
            file.borrow_mut().put(last, step);
        }
    }

    pub fn take(&self) -> Vec<Step> {
        self.end_last();
        self.steps.take()
    }

    /// The calls that lead here, as offsets in the program, and where their frames end.
    fn frames(&self) -> (Vec<u64>, Vec<u64>) {
        let (mut frames, mut stack) = (Vec::new(), Vec::new());
        // Where the last frame ends is told by the next one.
        let mut is_last_open = false;
        backtrace::walk(|Frame { returns_to, end_of_callee }| {
            if std::mem::take(&mut is_last_open) {
                stack.push(end_of_callee as u64);
                if frames.len() == MAX_FRAMES {
                    return ControlFlow::Break(());
                }
            }
            // A return address is that of the next instruction, which may be another line's.
            if let Some(address) = returns_to.checked_sub(1).filter(|address| self.code.contains(address)) {
                frames.push((address - self.program.start) as u64);
                is_last_open = true;
            }
            ControlFlow::Continue(())
        });
        stack.resize(frames.len(), 0);
        (frames, stack)
    }
}

/// The number in so many bytes of memory that may be there no more; `None` if it is not, or if they hold no number.
fn peek(address: usize, size: usize) -> Option<u64> {
    if !matches!(size, 1 | 2 | 4 | 8) {
        return None;
    }
    let mut number = 0_u64;
    let local = libc::iovec { iov_base: (&raw mut number).cast(), iov_len: size };
    let remote = libc::iovec { iov_base: address as *mut c_void, iov_len: size };
    // SAFETY: the kernel writes at most `size` bytes to `number`, and looks itself whether `address` can be read.
    let read = unsafe { libc::process_vm_readv(libc::getpid(), &raw const local, 1, &raw const remote, 1, 0) };
    (read == size as isize).then_some(number)
}
