//! Barriers, kept in the `pthread_barrier_t` itself.

use std::ffi::c_int;

use super::call::stand_in_for_calls;
use crate::control::real::real;
use crate::control::sanitizer;
use crate::model::op::OpKind;

/// The start of glibc's `pthread_barrier_t`.
#[repr(C)]
struct Barrier {
    /// Threads that wait in this round.
    arrived: u32,
    round: u32,
    /// Threads of a round, as `pthread_barrier_init` sets it; 0 once it is destroyed.
    count: u32,
}

/// What orders a round: two in turn, since a thread may reach the next round before all have left this one.
fn order_of(barrier: *const Barrier, round: u32) -> usize {
    barrier as usize + (round % 2) as usize
}

stand_in_for_calls! {
    #[doc = "The thread that completes a round is the one that gets `PTHREAD_BARRIER_SERIAL_THREAD`."]
    fn pthread_barrier_wait(barrier: *mut Barrier) -> c_int |active, call| {
        active.pass(OpKind::BarrierWait, barrier as usize);
        call.uses(active, barrier);
        // SAFETY: the caller's promise; the borrow ends before another thread runs.
        let (order, last) = unsafe {
            let state = &mut *barrier;
            if state.count == 0 {
                call.refuse_dead(active);
            }
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
            active.block(barrier as usize, call.primitive, None);
        }
        sanitizer::acquire(order);
        if last { libc::PTHREAD_BARRIER_SERIAL_THREAD } else { 0 }
    }

    fn pthread_barrier_init(
        barrier: *mut Barrier,
        attributes: *const libc::pthread_barrierattr_t,
        count: u32,
    ) -> c_int |active, call| {
        let _unwatched = call.begins_or_ends(active, barrier);
        // SAFETY: the caller's promise.
        unsafe {
            real!(pthread_barrier_init: fn(*mut Barrier, *const libc::pthread_barrierattr_t, u32) -> c_int)(
                barrier, attributes, count,
            )
        }
    }

    #[doc = "As glibc's, it waits until nobody waits there."]
    fn pthread_barrier_destroy(barrier: *mut Barrier) -> c_int |active, call| {
        active.pass(OpKind::BarrierWait, barrier as usize);
        call.uses(active, barrier);
        // SAFETY: the caller's promise.
        while unsafe { (&raw const (*barrier).arrived).read_volatile() } > 0 {
            active.block(barrier as usize, call.primitive, None);
            call.uses(active, barrier);
        }
        // SAFETY: the caller's promise.
        unsafe {
            if (*barrier).count == 0 {
                call.refuse_dead(active);
            }
            // What it waited for are the threads of the last round.
            sanitizer::acquire(order_of(barrier, (*barrier).round.wrapping_sub(1)));
            let _unwatched = call.begins_or_ends(active, barrier);
            (*barrier).count = 0;
        }
        0
    }
}
