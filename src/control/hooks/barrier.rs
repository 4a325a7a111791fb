//! Barriers, kept in the `pthread_barrier_t` itself.

use std::cell::Cell;
use std::ffi::c_int;

use super::call::stand_in_for_calls;
use crate::control::order;
use crate::control::real::real;
use crate::model::op::OpKind;

/// The start of glibc's `pthread_barrier_t`.
#[repr(C)]
struct Barrier {
    /// Threads that wait in this round.
    arrived: Cell<u32>,
    round: Cell<u32>,
    /// Threads of a round, as `pthread_barrier_init` sets it; 0 once it is destroyed.
    count: Cell<u32>,
}

impl Barrier {
    fn address(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// What orders a round: two in turn, since a thread may reach the next round before all have left this one.
    fn order_of(&self, round: u32) -> usize {
        self.address() + (round % 2) as usize
    }
}

stand_in_for_calls! {
    #[doc = "The thread that completes a round is the one that gets `PTHREAD_BARRIER_SERIAL_THREAD`."]
    fn pthread_barrier_wait(barrier: &Barrier) -> c_int |active, call| {
        active.pass(OpKind::BarrierWait, barrier.address());
        call.uses(active, barrier);
        if barrier.count.get() == 0 {
            call.refuse_dead(active);
        }
        let order = barrier.order_of(barrier.round.get());
        let arrived = barrier.arrived.get() + 1;
        let last = arrived >= barrier.count.get();
        barrier.arrived.set(if last { 0 } else { arrived });
        order::release(order);
        if last {
            barrier.round.set(barrier.round.get().wrapping_add(1));
            active.ask(|controller| controller.wake_all(barrier.address()));
        } else {
            // Woken for good; the barrier may be gone by then.
            active.block(barrier.address(), call.primitive, None);
        }
        order::acquire(order);
        if last { libc::PTHREAD_BARRIER_SERIAL_THREAD } else { 0 }
    }

    fn pthread_barrier_init(
        barrier: &Barrier,
        attributes: *const libc::pthread_barrierattr_t,
        count: u32,
    ) -> c_int |active, call| {
        let _unwatched = call.begins_or_ends(active, barrier);
        // SAFETY: passed on unchanged.
        unsafe {
            real!(pthread_barrier_init: fn(&Barrier, *const libc::pthread_barrierattr_t, u32) -> c_int)(
                barrier, attributes, count,
            )
        }
    }

    #[doc = "As glibc's, it waits until nobody waits there."]
    fn pthread_barrier_destroy(barrier: &Barrier) -> c_int |active, call| {
        active.pass(OpKind::BarrierWait, barrier.address());
        call.uses(active, barrier);
        while barrier.arrived.get() > 0 {
            active.block(barrier.address(), call.primitive, None);
            call.uses(active, barrier);
        }
        if barrier.count.get() == 0 {
            call.refuse_dead(active);
        }
        // What it waited for are the threads of the last round.
        order::acquire(barrier.order_of(barrier.round.get().wrapping_sub(1)));
        let _unwatched = call.begins_or_ends(active, barrier);
        barrier.count.set(0);
        0
    }
}
