//! Signals of an execution: what the process does at each, which ones a thread blocks, and what is pending.
//!
//! All of it is the execution's own and begins as in a process that a shell started: the worker's handlers and masks are
//! never touched, so nothing of it reaches the next execution, and a fault is still the worker's to report.

pub mod kinds;

use std::ffi::c_int;

use crate::model::execution::ThreadId;
use crate::model::limits::MAX_VIRTUAL_THREADS;
use kinds::{Default as DefaultAction, LARGEST, default_of, is_negotiable};

/// Signals, by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set(u64);

impl Set {
    /// The set of that signal alone.
    pub fn of(signal: c_int) -> Self {
        Self(1 << (signal - 1))
    }

    /// # Safety
    /// `set` is an initialised `sigset_t`.
    pub unsafe fn read(set: *const libc::sigset_t) -> Self {
        // SAFETY: the caller's promise. As the kernel: one word holds all signals there are.
        Self(unsafe { set.cast::<u64>().read_unaligned() })
    }

    /// # Safety
    /// `set` is a place for one.
    pub unsafe fn write(self, set: *mut libc::sigset_t) {
        // SAFETY: the caller's promise; as the kernel, whose word is the first.
        unsafe { set.cast::<u64>().write_unaligned(self.0) };
    }

    pub fn contains(self, signal: c_int) -> bool {
        self.0 & Self::of(signal).0 != 0
    }

    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The signal of the lowest number.
    pub fn first(self) -> Option<c_int> {
        (self.0 != 0).then(|| self.0.trailing_zeros() as c_int + 1)
    }

    /// Of those, what can be blocked.
    fn blockable(self) -> Self {
        (1..=LARGEST)
            .filter(|&signal| self.contains(signal) && is_negotiable(signal))
            .map(Self::of)
            .fold(Self(0), Self::or)
    }
}

/// What the process does at a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// `SIG_DFL`, `SIG_IGN`, or the address of a function.
    pub handler: usize,
    pub flags: c_int,
    pub mask: Set,
}

impl Action {
    const DEFAULT: Self = Self { handler: libc::SIG_DFL, flags: 0, mask: Set(0) };
}

/// What a thread does now that a signal has reached it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It runs the handler of `action` and blocks `before` after that. The signal was sent to the process, or to it alone.
    Handler { signal: c_int, action: Action, before: Set, to_process: bool },
    /// It ends the process.
    Terminate(c_int),
    /// It stops the process.
    Stop(c_int),
}

struct OfThread {
    mask: Set,
    pending: Set,
    /// It waits for one of these.
    awaits: Set,
    /// A signal has reached it, and it has not looked yet.
    due: bool,
    /// It can be sent signals.
    lives: bool,
    /// Handlers that it is in.
    handlers: u32,
    alternate_stack: libc::stack_t,
}

pub struct Signals {
    /// By number.
    actions: [Action; LARGEST as usize + 1],
    /// Some action is not the default one.
    acts: bool,
    /// Sent to the process.
    pending: Set,
    // By thread. Never grows past its first capacity: places of these stand for objects.
    threads: Vec<OfThread>,
    /// How many threads have one due.
    due: u32,
}

impl Signals {
    pub fn new() -> Self {
        Self {
            actions: [Action::DEFAULT; LARGEST as usize + 1],
            acts: false,
            pending: Set(0),
            threads: Vec::with_capacity(MAX_VIRTUAL_THREADS),
            due: 0,
        }
    }

    #[inline]
    pub fn begin(&mut self) {
        if std::mem::take(&mut self.acts) {
            self.actions.fill(Action::DEFAULT);
        }
        self.pending = Set(0);
        self.threads.clear();
        self.due = 0;
    }

    /// A thread begins, and blocks what its creator does.
    #[inline]
    pub fn add_thread(&mut self, creator: ThreadId, lives: bool) {
        let mask = self.threads.get(usize::from(creator)).map_or(Set(0), |creator| creator.mask);
        let alternate_stack = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        let (pending, awaits) = (Set(0), Set(0));
        self.threads.push(OfThread { mask, pending, awaits, due: false, lives, handlers: 0, alternate_stack });
    }

    /// No signal reaches the thread from here on.
    #[inline]
    pub fn end_thread(&mut self, thread: ThreadId) {
        self.look(thread);
        self.of(thread).lives = false;
    }

    fn of(&mut self, thread: ThreadId) -> &mut OfThread {
        &mut self.threads[usize::from(thread)]
    }

    /// What stands for the signals of a thread where operations have objects.
    pub fn place(&self, thread: ThreadId) -> usize {
        std::ptr::from_ref(&self.threads[usize::from(thread)]) as usize
    }

    /// What orders those who say what happens at a signal, or send it, with those whom it reaches.
    pub fn order(&self, signal: c_int) -> usize {
        std::ptr::from_ref(&self.actions[signal as usize]) as usize
    }

    pub fn action(&self, signal: c_int) -> Action {
        self.actions[signal as usize]
    }

    /// A pending signal that is to be ignored from now on is forgotten.
    pub fn set_action(&mut self, signal: c_int, action: Action) {
        self.acts = true;
        self.actions[signal as usize] = Action { mask: action.mask.blockable(), ..action };
        if self.is_ignored(signal) {
            let gone = Set::of(signal);
            self.pending = self.pending.without(gone);
            self.threads.iter_mut().for_each(|thread| thread.pending = thread.pending.without(gone));
        }
    }

    pub fn is_ignored(&self, signal: c_int) -> bool {
        match self.action(signal).handler {
            libc::SIG_IGN => true,
            libc::SIG_DFL => default_of(signal) == DefaultAction::Ignore,
            _ => false,
        }
    }

    pub fn mask(&self, thread: ThreadId) -> Set {
        self.threads[usize::from(thread)].mask
    }

    pub fn set_mask(&mut self, thread: ThreadId, mask: Set) {
        self.of(thread).mask = mask.blockable();
    }

    /// Sent to the thread or the process, and not yet taken.
    pub fn pending(&self, thread: ThreadId) -> Set {
        self.threads[usize::from(thread)].pending.or(self.pending)
    }

    /// Marks the signal as sent, to the process or to one thread; whether it was not already.
    pub fn add(&mut self, signal: c_int, to: Option<ThreadId>) -> bool {
        let pending = match to {
            Some(thread) => &mut self.of(thread).pending,
            None => &mut self.pending,
        };
        let before = *pending;
        *pending = before.or(Set::of(signal));
        before != *pending
    }

    /// Whether the signal is sent and not taken.
    pub fn is_pending(&self, signal: c_int, to: Option<ThreadId>) -> bool {
        to.map_or(self.pending, |thread| self.threads[usize::from(thread)].pending).contains(signal)
    }

    /// Takes a signal of that set that was sent to the thread or to the process; its number, and whether to the process.
    pub fn take(&mut self, thread: ThreadId, set: Set) -> Option<(c_int, bool)> {
        let pending = &mut self.threads[usize::from(thread)].pending;
        let (pending, to_process) = match pending.and(set).first() {
            Some(_) => (pending, false),
            None => (&mut self.pending, true),
        };
        let signal = pending.and(set).first()?;
        *pending = pending.without(Set::of(signal));
        Some((signal, to_process))
    }

    /// What the running thread does at what is pending and not blocked, one after the other.
    pub fn deliver(&mut self, thread: ThreadId) -> Option<Delivery> {
        loop {
            let before = self.mask(thread);
            let (signal, to_process) = self.take(thread, Set(!0).without(before))?;
            let action = self.action(signal);
            match action.handler {
                libc::SIG_IGN => {}
                libc::SIG_DFL => match default_of(signal) {
                    DefaultAction::Ignore => {}
                    DefaultAction::Terminate => return Some(Delivery::Terminate(signal)),
                    DefaultAction::Stop => return Some(Delivery::Stop(signal)),
                },
                _ => {
                    let itself = if action.flags & libc::SA_NODEFER == 0 { Set::of(signal) } else { Set(0) };
                    self.set_mask(thread, before.or(action.mask).or(itself));
                    if action.flags & libc::SA_RESETHAND != 0 {
                        self.actions[signal as usize] = Action::DEFAULT;
                    }
                    self.of(thread).handlers += 1;
                    return Some(Delivery::Handler { signal, action, before, to_process });
                }
            }
        }
    }

    /// A handler returned.
    pub fn end_handler(&mut self, thread: ThreadId, before: Set) {
        self.of(thread).handlers -= 1;
        self.set_mask(thread, before);
    }

    pub fn is_in_handler(&self, thread: ThreadId) -> bool {
        self.threads[usize::from(thread)].handlers > 0
    }

    /// The thread waits for one of these, or no more for any.
    pub fn set_awaits(&mut self, thread: ThreadId, set: Set) {
        self.of(thread).awaits = set;
    }

    pub fn awaits(&self, thread: ThreadId, signal: c_int) -> bool {
        self.threads[usize::from(thread)].awaits.contains(signal)
    }

    /// Whether the signal can interrupt the thread.
    pub fn lets_in(&self, thread: ThreadId, signal: c_int) -> bool {
        let thread = &self.threads[usize::from(thread)];
        thread.lives && !thread.mask.contains(signal)
    }

    /// Whether the thread can be sent signals.
    pub fn lives(&self, thread: ThreadId) -> bool {
        self.threads[usize::from(thread)].lives
    }

    /// Some thread looks for signals when it goes on.
    #[inline(always)]
    pub fn is_any_due(&self) -> bool {
        self.due > 0
    }

    /// A signal reaches the thread, which looks when it goes on.
    pub fn reach(&mut self, thread: ThreadId) {
        if !std::mem::replace(&mut self.of(thread).due, true) {
            self.due += 1;
        }
    }

    /// The thread looks; whether it had to.
    pub fn look(&mut self, thread: ThreadId) -> bool {
        let due = std::mem::take(&mut self.of(thread).due);
        self.due -= u32::from(due);
        due
    }

    /// Replaces the stack that the thread named for handlers, which run on its own stack nevertheless.
    pub fn alternate_stack(&mut self, thread: ThreadId) -> &mut libc::stack_t {
        &mut self.of(thread).alternate_stack
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_threads(count: usize) -> Signals {
        let mut signals = Signals::new();
        signals.begin();
        (0..count).for_each(|_| signals.add_thread(0, true));
        signals
    }

    fn handle(signals: &mut Signals, signal: c_int, flags: c_int, mask: Set) {
        signals.set_action(signal, Action { handler: 4096, flags, mask });
    }

    #[test]
    fn a_thread_inherits_the_mask_of_its_creator_and_nothing_else() {
        let mut signals = with_threads(1);
        signals.set_mask(0, Set::of(libc::SIGUSR1).or(Set::of(libc::SIGKILL)));
        signals.add(libc::SIGUSR1, Some(0));
        signals.add_thread(0, true);
        assert_eq!(signals.mask(1), Set::of(libc::SIGUSR1), "SIGKILL cannot be blocked");
        assert_eq!(signals.pending(1), Set(0));
    }

    #[test]
    fn what_is_blocked_stays_pending_until_it_is_unblocked() {
        let mut signals = with_threads(1);
        handle(&mut signals, libc::SIGUSR1, 0, Set(0));
        signals.set_mask(0, Set::of(libc::SIGUSR1));
        assert!(signals.add(libc::SIGUSR1, None));
        assert!(!signals.add(libc::SIGUSR1, None), "it is pending once");
        assert_eq!(signals.deliver(0), None);
        signals.set_mask(0, Set(0));
        assert!(matches!(signals.deliver(0), Some(Delivery::Handler { to_process: true, .. })));
        assert_eq!(signals.deliver(0), None);
    }

    #[test]
    fn a_handler_blocks_its_signal_and_its_mask_until_it_returns() {
        let mut signals = with_threads(1);
        let both = Set::of(libc::SIGUSR1).or(Set::of(libc::SIGUSR2));
        handle(&mut signals, libc::SIGUSR1, 0, Set::of(libc::SIGUSR2));
        signals.add(libc::SIGUSR1, Some(0));
        let Some(Delivery::Handler { before, .. }) = signals.deliver(0) else { panic!("it has a handler") };
        assert_eq!(signals.mask(0), both);
        signals.end_handler(0, before);
        assert_eq!(signals.mask(0), Set(0));
    }

    #[test]
    fn a_handler_of_one_use_is_gone_after_it() {
        let mut signals = with_threads(1);
        handle(&mut signals, libc::SIGUSR1, libc::SA_RESETHAND | libc::SA_NODEFER, Set(0));
        signals.add(libc::SIGUSR1, Some(0));
        assert!(matches!(signals.deliver(0), Some(Delivery::Handler { .. })));
        signals.add(libc::SIGUSR1, Some(0));
        assert_eq!(signals.deliver(0), Some(Delivery::Terminate(libc::SIGUSR1)), "it was not blocked either");
    }

    #[test]
    fn what_is_ignored_is_forgotten() {
        let mut signals = with_threads(1);
        signals.set_mask(0, Set::of(libc::SIGUSR1));
        signals.add(libc::SIGUSR1, Some(0));
        signals.set_action(libc::SIGUSR1, Action { handler: libc::SIG_IGN, ..Action::DEFAULT });
        assert_eq!(signals.pending(0), Set(0));
        assert!(signals.is_ignored(libc::SIGCHLD));
    }
}
