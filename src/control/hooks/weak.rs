//! Atomic operations under a weak memory model: which store each is on.

use std::ffi::{c_int, c_uint};
use std::sync::atomic::{AtomicUsize, Ordering};

use object::{Object as _, ObjectSymbol as _};

use super::atomic::offset_in_target;
use crate::control::active::{Active, active};
use crate::control::memory::{Level, Memory, Order};
use crate::control::order::{self, Shown};
use crate::model::op::OpKind;
use crate::model::schedule::Injection;
use crate::strategy::Use;

/// Where libstdc++ counts who waits for a value, as offsets in the target: nothing by default.
static COUNTS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// Looks for libstdc++'s counts of waiters in a target.
///
/// `notify_one` and `notify_all` look whether anyone waits, and `wait` looks at the value once more after it has said so. In
/// libstdc++ 12 nothing keeps the look of a notification behind a store to the value that is not sequentially consistent, so
/// that on x86, too, a waiter can be missed. The standard promises that it is not (atomics.wait, 4): this is no fault of the
/// program, which could do nothing about it. So these counts are always read as they are.
pub(super) fn look_at(target: &[u8]) {
    const NAME: &str = "_ZZNSt8__detail18__waiter_pool_base6_S_forEPKvE3__w";
    let counts = object::File::parse(target).ok().and_then(|file| {
        let symbol = file.symbols().chain(file.dynamic_symbols()).find(|symbol| symbol.name() == Ok(NAME))?;
        Some((symbol.address() as usize, symbol.size() as usize))
    });
    let (start, size) = counts.unwrap_or_default();
    COUNTS[0].store(start, Ordering::Relaxed);
    COUNTS[1].store(start + size, Ordering::Relaxed);
}

fn is_count_of_waiters(address: usize) -> bool {
    let [start, end] = &COUNTS;
    (start.load(Ordering::Relaxed)..end.load(Ordering::Relaxed)).contains(&offset_in_target(address))
}

/// An atomic operation, as cpp/harness/points.h tells of it.
pub(super) struct Operation {
    pub kind: OpKind,
    pub address: usize,
    /// In bytes.
    pub size: u32,
    /// The order; of a compare-exchange that if it succeeds, that if it fails, and whether it is a weak one.
    pub orders: c_int,
    /// What a compare-exchange expects, or null.
    pub expected: *const u8,
    pub caller: usize,
}

/// Where in `orders` the order of a failure stands, and whether a compare-exchange is weak.
const FAILURE: c_int = 20;
const WEAK: c_int = 1 << 24;
/// Bytes of the largest atomic operation.
const LARGEST: usize = 16;

impl Operation {
    fn order(&self) -> Order {
        order_of(self.orders)
    }

    fn failure(&self) -> Order {
        order_of(self.orders >> FAILURE)
    }

    /// Whether its order makes executions possible that are no interleavings. A byte that is loaded to acquire may be the guard of a
    /// static variable, which every program has.
    fn is_weaker(&self) -> bool {
        let may_be_guard = self.kind == OpKind::Load && self.size == 1 && self.order() == Order::Acquire;
        self.order() != Order::SeqCst && !may_be_guard
    }

    fn is_weak(&self) -> bool {
        self.orders & WEAK != 0
    }

    /// What a compare-exchange expects.
    fn expected(&self) -> [u8; LARGEST] {
        let mut bytes = [0; LARGEST];
        for (index, byte) in bytes.iter_mut().enumerate().take(self.size as usize) {
            // SAFETY: as many bytes as the operation has; volatile, so that no function copies them that a sanitizer watches.
            *byte = unsafe { self.expected.add(index).read_volatile() };
        }
        bytes
    }

    /// Whether it only reads, on a store whose value lies at `place`.
    fn only_reads(&self, place: usize, fails: bool) -> bool {
        let differs = || {
            // SAFETY: as many bytes as the operation has, which the program is about to access, or a copy of them.
            let there = |index| unsafe { (place as *const u8).add(index).read_volatile() };
            (0..self.size as usize).zip(self.expected()).any(|(index, expected)| there(index) != expected)
        };
        match self.kind {
            OpKind::Load => true,
            OpKind::CompareExchange => fails || !self.expected.is_null() && differs(),
            _ => false,
        }
    }

    /// How many stores it may be on.
    fn options(&self, memory: &mut Memory, thread: usize, fails: bool) -> u32 {
        let (address, size) = (self.address, self.size);
        match self.kind {
            OpKind::Load => memory.load(thread, address, size, self.order()),
            OpKind::Store => memory.store(thread, address, size, self.order()),
            OpKind::CompareExchange if fails => memory.load(thread, address, size, self.failure()),
            OpKind::CompareExchange if !self.expected.is_null() => {
                let (order, failure) = (self.order(), self.failure());
                memory.compare_exchange(thread, address, size, order, failure, self.expected())
            }
            _ => memory.read_modify_write(thread, address, size, self.order()),
        }
    }
}

/// The compiler's number of a memory order, without its hints of lock elision.
fn order_of(number: c_int) -> Order {
    match number & 0xf {
        0 => Order::Relaxed,
        1 | 2 => Order::Acquire,
        3 => Order::Release,
        4 => Order::AcqRel,
        _ => Order::SeqCst,
    }
}

/// The address that the operation, which comes next, is made on: its own if it is on the newest store.
pub(super) fn place(active: &Active, operation: &Operation) -> usize {
    let Operation { kind, address, size, .. } = *operation;
    if !order::has_weaker_orders() && operation.is_weaker() {
        order::note_weaker_order();
    }
    if kind == OpKind::Fence {
        order::with_clocks(|memory, thread| memory.fence(thread, operation.order()));
        report_order(active, operation);
        order::tell(None);
        return address;
    }
    let is_of_library = is_count_of_waiters(address);
    let fails = operation.is_weak() && active.inject(Injection::WeakFailure);
    active.fails_weakly.set(fails);
    if !size.is_power_of_two() || size as usize > LARGEST {
        order::forget(address, size as usize);
        return address;
    }
    report_order(active, operation);
    let options = order::with_clocks(|memory, thread| operation.options(memory, thread, fails));
    let by = if options > 1 && !is_of_library {
        active.ask(|controller| controller.older(address, options as u16))
    } else {
        0
    };
    let place = order::with_clocks(|memory, _| memory.commit(by.into()));
    let (writes, caller) = (!operation.only_reads(place, fails), operation.caller);
    report_place(active, address, writes);
    order::tell(Some(&Shown { address, size: size as usize, writes, caller }));
    threadbare_placed.store(place, Ordering::Relaxed);
    if by > 0 && active.ask(|controller| controller.is_logging()) {
        active.log_older(place, size as usize, by);
    }
    place
}

/// Where the operation is made whose point was passed last; 0 once cpp/control/memory.c has seen that.
#[unsafe(no_mangle)]
static threadbare_placed: AtomicUsize = AtomicUsize::new(0);

/// An operation without a scheduling point in a target that has them at others: on the newest store.
#[unsafe(no_mangle)]
extern "C" fn threadbare_unplaced(
    address: usize,
    operation: c_uint,
    size: c_uint,
    orders: c_int,
    expected: *const u8,
    caller: usize,
) {
    let kind = OpKind::of_atomic(operation);
    let operation = Operation { kind, address, size, orders, expected, caller };
    if active().is_some() && order::is_on() {
        order::with_clocks(|memory, thread| {
            operation.options(memory, thread, false);
            memory.commit(0);
        });
        let writes = !operation.only_reads(address, false);
        order::tell(Some(&Shown { address, size: size as usize, writes, caller }));
    }
}

/// Tells a search of all executions how the operation depends on those on other objects.
fn report_order(active: &Active, operation: &Operation) {
    let order = order::total_order();
    let changes = match order::with_clocks(|memory, _| memory.level()) {
        Level::Sc => return,
        Level::Tso => operation.kind != OpKind::Load,
        Level::Cpp20 => operation.order() == Order::SeqCst,
    };
    let looks = || order::with_clocks(|memory, _| memory.depends_on_order());
    if operation.kind != OpKind::Load {
        active.report(Use::Looked(order::woken()));
    }
    if changes {
        active.report(Use::Changed(order));
    } else if looks() {
        active.report(Use::Looked(order));
    }
}

/// Tells a search of all executions which store the operation is on, where the memory model leaves a choice.
fn report_place(active: &Active, object: usize, writes: bool) {
    let placed =
        order::with_clocks(|memory, _| (memory.level() != Level::Sc).then(|| (memory.steps(), memory.source())));
    if let Some((number, source)) = placed {
        active.report(Use::Placed { object, number, source, writes });
    }
}

/// Whether the weak compare-exchange that was just placed fails, whatever is there.
pub(super) fn take_failure(active: &Active) -> bool {
    active.fails_weakly.take()
}
