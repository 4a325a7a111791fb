//! One execution of whatever the target is to do, from its first scheduling point to the state that it leaves behind.

use std::ffi::c_void;

use super::{Control, Mode, Session};
use crate::control::active::{Active, set_active};
use crate::control::controller::{Budget, Controller};
use crate::control::hooks::close_left;
use crate::control::order::Account;
use crate::control::virtual_thread::Start;
use crate::control::{order, record, sanitizer};
use crate::model::execution::{Aftermath, Ending};
use crate::runtime::{LoadedTaskGraph, Runtime};
use crate::strategy::{Guided, Replay};

#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub budget: Budget,
    pub expected_points: u64,
    pub events: usize,
}

impl Session {
    pub(super) fn run(&mut self, number: u64, mode: Mode<'_>, limits: Limits, mut job: impl FnMut(&mut Runtime)) {
        assert!(!self.spent, "an execution was stopped midway; this process can run no other");
        self.schedule = None;
        record::begin(limits.events);
        self.empty_directory();
        let injections = self.injections;
        let runtime = &mut self.runtime;
        match &mut self.control {
            Control::Free(trace) => {
                record::begin_freely();
                trace.begin(number);
                job(runtime);
                trace.finish();
                self.execution.ending = Ending::Completed;
                self.execution.points = 0;
                self.execution.stayed = 0;
            }
            Control::Controlled(active) => {
                let account = Account {
                    memory: self.memory,
                    looks_at_orders: self.looks_at_orders,
                    judges_races: self.judges_races,
                    watched: std::mem::take(&mut self.watched),
                };
                order::begin(account, active.ask(|controller| controller.place_of_current()) as *const _);
                let explored = active.ask(|controller| {
                    controller.trace().begin(number);
                    let (seed, explored) = match mode {
                        Mode::Explore { seed } => (seed, None),
                        Mode::Replay(schedule) => {
                            let replay = Box::new(Replay::new(schedule.clone()));
                            (0, Some(controller.set_strategy(replay, true)))
                        }
                        Mode::Guided(guide) => {
                            let guided = Box::new(Guided::new(guide.clone()));
                            (0, Some(controller.set_strategy(guided, false)))
                        }
                    };
                    controller.begin(seed, limits.budget, limits.expected_points, injections);
                    if active.has_image() {
                        controller.begin_program();
                    }
                    explored
                });
                active.begin_allocations(injections.failing_allocation);
                let has_begun = run_controlled(active, &mut || job(runtime));
                order::end();
                if self.judges_races {
                    self.unjudged += order::missed();
                }
                active.ask(|controller| {
                    controller.end_program_code();
                    if let Some(strategy) = explored {
                        controller.set_strategy(strategy, false);
                    }
                    controller.trace().finish();
                    self.execution.ending = controller.take_ending();
                    self.execution.points = controller.trace().points();
                    self.execution.stayed = controller.stayed();
                });
                self.spent = has_begun && !end_threads(active);
                // What the threads did is over for whatever comes next, also for globals and for memory that is used
                // again.
                for thread in 0..active.ask(|controller| controller.thread_count()) {
                    let thread = active.engine.thread(thread);
                    sanitizer::acquire(thread.address());
                    if !thread.alive.get() {
                        thread.free_locals();
                    }
                }
                if active.engine.has_fibers() || active.ask(|controller| controller.all_ended()) {
                    sanitizer::look_again(|address| sanitizer::is_in_program(address) || is_on_stack(active, address));
                }
                self.execution.files_left_open = close_left(active);
                end_heap(active);
                self.execution.allocations = active.allocations();
            }
        }
        let complete = record::end(&mut self.execution.events);
        if !complete {
            self.execution.ending = Ending::TooManyEvents;
        }
        self.execution.reports = sanitizer::take_reports();
    }

    /// What comes after a crash: a process that uses the leases again. It is this one, whose other threads stand
    /// still for ever, and whose descriptors are closed.
    pub(super) fn recover(&mut self, graph: &LoadedTaskGraph) {
        let files = self.files_left();
        // Nothing that TSan knows of orders the threads that stand still with this one.
        let _unwatched = sanitizer::Unwatched::begin();
        let holders = self.runtime.recover(graph).map_err(|error| format!("{error:#}"));
        self.execution.aftermath = Some(Aftermath { files, holders });
    }

    /// Makes the directory as a new one.
    fn empty_directory(&self) {
        let unchanged = match &self.control {
            Control::Controlled(active) => active.ask(|controller| !controller.files.touched),
            Control::Free(_) => false,
        };
        if let Some(directory) = &self.directory
            && !unchanged
            && let Err(error) = directory.empty()
        {
            eprintln!("threadbare: {error:#}");
            std::process::exit(2);
        }
    }
}

/// Runs `job` as thread 0, and everything that it starts, to the end of the execution. `false` if the schedule does not even
/// begin as this execution does, so that nothing runs.
fn run_controlled(active: &'static Active, job: &mut dyn FnMut()) -> bool {
    unsafe extern "C-unwind" fn call(job: *mut c_void) -> *mut c_void {
        // SAFETY: `job` points to the reference below, which outlives the execution.
        unsafe { (*job.cast::<&mut dyn FnMut()>())() };
        std::ptr::null_mut()
    }
    if active.ask(|controller| controller.ending().is_some()) {
        return false;
    }
    let mut job = job;
    let main = active.engine.thread(0);
    main.prepare(Start::Posix(call), (&raw mut job).cast());
    sanitizer::release(main.address());
    active.engine.launch(active, main);
    set_active(active);
    active.engine.run(active);
    set_active(std::ptr::null());
    true
}

/// Frees what the heap has kept back. Threads that were not abandoned may yet use theirs.
fn is_on_stack(active: &Active, address: usize) -> bool {
    let threads = 0..active.ask(|controller| controller.thread_count());
    active.engine.may_be_on_a_stack(address)
        && threads.into_iter().any(|id| active.engine.thread(id).has_on_stack(address))
}

fn end_heap(active: &Active) {
    active.ask(|controller| {
        if let Some(heap) = &mut controller.heap {
            // SAFETY: blocks of the C library that the program has freed, by whatever means.
            heap.end(|block| unsafe { libc::free(block as *mut c_void) });
        }
    });
}

/// After an execution: whether every thread can run another one. Those of a program under check that are still in the
/// middle of something are abandoned, as the end of a process would.
fn end_threads(active: &'static Active) -> bool {
    if active.ask(|controller| controller.all_ended()) {
        return true;
    }
    // One thread may have allocated what carries another, and nothing orders it with the root yet.
    let _unwatched = sanitizer::Unwatched::begin();
    let threads = (0..active.ask(|controller| controller.thread_count())).map(|id| active.engine.thread(id));
    active.has_image()
        && threads.into_iter().all(|thread| {
            let has_begun = thread.alive.replace(false);
            if has_begun {
                // SAFETY: the thread's own, and it runs no more.
                unsafe { (*thread.locals.get()).abandon() };
            }
            // What carries a thread that has not begun waits for its turn, unless it is a fiber. Nothing carries a signal.
            let waits =
                |controller: &mut Controller| !controller.has_ended(thread.id) && !controller.is_carrier(thread.id);
            let is_left = has_begun || !active.engine.has_fibers() && active.ask(waits);
            !is_left || active.engine.abandon(thread)
        })
}
