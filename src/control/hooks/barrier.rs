//! Barriers, kept in the `pthread_barrier_t` itself.

use std::ffi::c_int;

use super::stand_in;
use crate::control::sanitizer;
use crate::model::op::OpKind;

/// The start of glibc's `pthread_barrier_t`.
#[repr(C)]
struct Barrier {
    /// Threads that wait in this round.
    arrived: u32,
    round: u32,
    /// Threads of a round, as `pthread_barrier_init` sets it.
    count: u32,
}

/// What orders a round: two in turn, since a thread may reach the next round before all have left this one.
fn order_of(barrier: *const Barrier, round: u32) -> usize {
    barrier as usize + (round % 2) as usize
}

stand_in! {
    #[doc = "The thread that completes a round is the one that gets `PTHREAD_BARRIER_SERIAL_THREAD`."]
    fn pthread_barrier_wait(barrier: *mut Barrier) -> c_int |active| {
        active.pass(OpKind::BarrierWait, barrier as usize);
        // SAFETY: the caller's promise; the borrow ends before another thread runs.
        let (order, last) = unsafe {
            let state = &mut *barrier;
            let order = order_of(barrier, state.round);
            state.arrived += 1;
            let last = state.arrived >= state.count;
            if last {
                state.arrived = 0;
                state.round = state.round.wrapping_add(1);
            }
            (order, last)
        };
        sanitizer::release(order);
        if last {
            active.ask(|controller| controller.wake_all(barrier as usize));
        } else {
            // Woken for good; the barrier may be gone by then.
            active.block(barrier as usize, "pthread_barrier_wait", None);
        }
        sanitizer::acquire(order);
        if last { libc::PTHREAD_BARRIER_SERIAL_THREAD } else { 0 }
    }

    #[doc = "As glibc's, it waits until nobody waits there."]
    fn pthread_barrier_destroy(barrier: *mut Barrier) -> c_int |active| {
        active.pass(OpKind::BarrierWait, barrier as usize);
        // SAFETY: the caller's promise.
        while unsafe { (&raw const (*barrier).arrived).read_volatile() } > 0 {
            active.block(barrier as usize, "pthread_barrier_destroy", None);
        }
        0
    }
}
