//! Handlers of signals, which run on the stack of the virtual thread that they reach.

use std::ffi::{c_int, c_void};

use super::Active;
use crate::control::controller::{Sent, Wake};
use crate::control::real::real;
use crate::control::state::signals::kinds::name_of;
use crate::control::state::signals::{Action, Delivery, Set};
use crate::control::{order, sanitizer};
use crate::model::execution::{Exit, ThreadId};
use crate::model::op::{Op, OpKind};

type Handler = unsafe extern "C-unwind" fn(c_int);
type InformedHandler = unsafe extern "C-unwind" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// What came of a look for signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    Nothing,
    /// Handlers ran; whether all of them let interrupted calls go on.
    Handlers {
        restart: bool,
    },
}

impl Handled {
    pub fn is_any(self) -> bool {
        self != Self::Nothing
    }
}

impl Active {
    #[inline(always)]
    pub(super) fn is_any_signal_due(&self) -> bool {
        self.ask(|controller| controller.signals.is_any_due())
    }

    /// The calling thread goes on at its point; if a signal has reached it, that comes first, and then the point once more.
    #[cold]
    pub(super) fn pause_after_signals(&self, op: Op) {
        if self.look_for_signals() {
            self.count(op.kind);
            self.pause(op.kind, op.waits, op.size, op.object, op.place);
        }
    }

    /// The calling thread's wait ended for that reason, and a signal may have reached it; `None` if it waits on.
    #[cold]
    pub(super) fn wake_after_signals(&self, wake: Wake) -> Option<Wake> {
        let current = self.current();
        if !self.ask(|controller| controller.signals.look(current)) {
            return Some(wake);
        }
        let handled = self.take_signals();
        if wake != Wake::Interrupted {
            return Some(wake);
        }
        if self.ask(|controller| controller.end_interruption()) {
            return Some(Wake::Notified);
        }
        match handled {
            Handled::Handlers { restart: false } => Some(Wake::Interrupted),
            Handled::Handlers { restart: true } => Some(Wake::Restarted),
            Handled::Nothing => None,
        }
    }

    /// Runs handlers if a signal has reached the calling thread since it last looked; whether one had.
    pub(super) fn look_for_signals(&self) -> bool {
        let current = self.current();
        let due = self.ask(|controller| controller.signals.look(current));
        if due {
            self.take_signals();
        }
        due
    }

    /// The calling thread takes every signal that is pending and that it does not block.
    pub fn take_signals(&self) -> Handled {
        let mut handled = Handled::Nothing;
        let current = self.current();
        while let Some(delivery) = self.ask(|controller| controller.signals.deliver(current)) {
            match delivery {
                Delivery::Terminate(signal) => self.end_by_signal(signal),
                Delivery::Stop(signal) => self.refuse(&format!("{}, which stops the process", name_of(signal))),
                Delivery::Handler { signal, action, before, to_process } => {
                    self.acquire_signal(signal);
                    if self.ask(|controller| controller.is_logging()) {
                        let place = self.ask(|controller| controller.signals.place(current));
                        self.log(OpKind::SignalArrival, (place, 0));
                    }
                    // SAFETY: a handler that the target installed.
                    unsafe { handle(signal, action, to_process) };
                    self.ask(|controller| controller.signals.end_handler(current, before));
                    let so_far = !matches!(handled, Handled::Handlers { restart: false });
                    handled = Handled::Handlers { restart: so_far && action.flags & libc::SA_RESTART != 0 };
                }
            }
        }
        handled
    }

    /// The calling thread sees what those saw who sent the signal or said what happens at it.
    pub fn acquire_signal(&self, signal: c_int) {
        order::acquire(self.ask(|controller| controller.signals.order(signal)));
    }

    pub fn release_signal(&self, signal: c_int) {
        order::release(self.ask(|controller| controller.signals.order(signal)));
    }

    /// The calling thread sends a signal, to a thread or to the process.
    pub fn send_signal(&self, signal: c_int, to: Option<ThreadId>) {
        self.release_signal(signal);
        match self.ask(|controller| controller.send(signal, to)) {
            Sent::Away => {}
            Sent::Here => {
                self.take_signals();
            }
            Sent::With(carrier) => {
                let _unwatched = sanitizer::Unwatched::begin();
                self.engine.thread(carrier).released.set(true); // Nothing carries it, so there is nothing to join.
            }
            Sent::Nowhere => self.refuse("more threads and signals than an execution may have"),
        }
    }

    /// `abort` runs the handler of its signal, once and even if the signal is blocked, before it ends the process.
    pub fn handle_abort(&self) {
        let current = self.current();
        let action = self.ask(|controller| controller.signals.action(libc::SIGABRT));
        if !matches!(action.handler, libc::SIG_DFL | libc::SIG_IGN) {
            self.ask(|controller| {
                let flags = action.flags | libc::SA_RESETHAND;
                controller.signals.set_action(libc::SIGABRT, Action { flags, ..action });
                let mask = controller.signals.mask(current);
                controller.signals.set_mask(current, mask.without(Set::of(libc::SIGABRT)));
            });
            self.send_signal(libc::SIGABRT, Some(current));
        }
    }

    /// The default action of a signal ends the process.
    pub fn end_by_signal(&self, signal: c_int) -> ! {
        if self.has_image() {
            let name = {
                let _unwatched = sanitizer::Unwatched::begin();
                name_of(signal)
            };
            self.leave_program(Exit::Signal(name));
        }
        // SAFETY: what the target asked for; it ends the worker.
        unsafe {
            real!(signal: fn(c_int, libc::sighandler_t) -> libc::sighandler_t)(signal, libc::SIG_DFL);
            real!(raise: fn(c_int) -> c_int)(signal);
        }
        std::process::abort()
    }
}

/// # Safety
/// The action's handler is a function of the kind that its flags say.
unsafe fn handle(signal: c_int, action: Action, to_process: bool) {
    if action.flags & libc::SA_SIGINFO == 0 {
        // SAFETY: the caller's promise.
        unsafe { std::mem::transmute::<usize, Handler>(action.handler)(signal) };
        return;
    }
    let mut information = information(signal, to_process);
    // SAFETY: plain data, of which zeros are a value; what a thread was about to do is not told.
    let mut context: libc::ucontext_t = unsafe { std::mem::zeroed() };
    // SAFETY: the caller's promise.
    unsafe {
        let handler = std::mem::transmute::<usize, InformedHandler>(action.handler);
        handler(signal, &raw mut information, (&raw mut context).cast());
    }
}

/// What is told of a signal that was sent by `kill`, or to a thread.
pub fn information(signal: c_int, to_process: bool) -> libc::siginfo_t {
    /// The first fields of what the kernel tells of such a signal.
    #[repr(C)]
    struct Sender {
        signal_error_code: [c_int; 3],
        padding: c_int,
        process: libc::pid_t,
        user: libc::uid_t,
    }
    // SAFETY: plain data, of which zeros are a value; the fields above are where they are in it.
    unsafe {
        let mut information: libc::siginfo_t = std::mem::zeroed();
        information.si_signo = signal;
        information.si_code = if to_process { libc::SI_USER } else { libc::SI_TKILL };
        let sender = (&raw mut information).cast::<Sender>();
        (*sender).process = libc::getpid();
        (*sender).user = libc::getuid();
        information
    }
}
