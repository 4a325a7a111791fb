//! Places in memory: sizes, memory that is used again, what is written unseen, many stores, locations and threads.

use super::super::history::KEPT;
use super::super::window::WINDOW;
use super::super::{Level, Memory, Order};

/// Real memory, of 64 bytes.
struct Real(Box<[u64; 8]>);

impl Real {
    fn new() -> Self {
        Self(Box::new([0; 8]))
    }

    fn at(&mut self, offset: usize) -> usize {
        (&raw mut *self.0).expose_provenance() + offset
    }
}

/// Stores a value of 4 bytes: the newest.
fn store(memory: &mut Memory, thread: usize, address: usize, value: u32, order: Order) {
    memory.store(thread, address, 4, order);
    write(memory.commit(0), value);
}

fn write(address: usize, value: u32) {
    // SAFETY: The tests use addresses of memory that they own, or cells of the machine.
    unsafe { std::ptr::with_exposed_provenance_mut::<u32>(address).write_volatile(value) };
}

/// What a load of 4 bytes can give, newest first.
fn values(memory: &mut Memory, thread: usize, address: usize, order: Order) -> Vec<u32> {
    let options = memory.load(thread, address, 4, order);
    let read = |pick| {
        memory.load(thread, address, 4, order);
        let at = memory.commit(pick);
        // SAFETY: As for writing.
        unsafe { std::ptr::with_exposed_provenance::<u32>(at).read_volatile() }
    };
    // Oldest first: a thread cannot go back.
    let mut values: Vec<u32> = (0..options).rev().map(read).collect();
    values.reverse();
    values
}

/// Two threads besides the first, which have seen nothing.
fn begin(level: Level) -> Memory {
    let mut memory = Memory::new();
    memory.begin(level);
    memory.add_thread(0, 1);
    memory.add_thread(0, 2);
    memory
}

#[test]
fn a_load_can_return_older_values_until_it_has_seen_newer_ones() {
    let (mut memory, mut real) = (begin(Level::Cpp20), Real::new());
    for value in 1..4 {
        store(&mut memory, 1, real.at(0), value, Order::Relaxed);
    }
    assert_eq!(values(&mut memory, 2, real.at(0), Order::Relaxed), [3, 2, 1, 0]);
    assert_eq!(values(&mut memory, 2, real.at(0), Order::Relaxed), [3], "the last one read the newest");
    assert_eq!(values(&mut memory, 1, real.at(0), Order::Relaxed), [3], "its own");
}

#[test]
fn what_something_unseen_wrote_is_all_that_can_be_read() {
    for level in [Level::Tso, Level::Cpp20] {
        let (mut memory, mut real) = (begin(level), Real::new());
        store(&mut memory, 1, real.at(0), 1, Order::Relaxed);
        store(&mut memory, 1, real.at(0), 2, Order::Relaxed);
        memory.settle();
        write(real.at(0), 7);
        assert_eq!(values(&mut memory, 2, real.at(0), Order::Relaxed), [7]);
        store(&mut memory, 1, real.at(0), 8, Order::Relaxed);
        assert_eq!(values(&mut memory, 2, real.at(0), Order::Relaxed), [8, 7], "its history goes on from there");
    }
}

#[test]
fn memory_that_is_used_again_has_no_history() {
    let (mut memory, mut real) = (begin(Level::Cpp20), Real::new());
    for offset in [0, 4, 32] {
        store(&mut memory, 1, real.at(offset), 1, Order::Release);
        store(&mut memory, 1, real.at(offset), 2, Order::Release);
    }
    memory.forget(real.at(2), 4);
    assert_eq!(values(&mut memory, 2, real.at(0), Order::Acquire), [2], "a part of it was freed");
    assert_eq!(values(&mut memory, 2, real.at(4), Order::Acquire), [2]);
    assert_eq!(memory.clock(2)[1], 0, "and released nothing");
    assert_eq!(values(&mut memory, 2, real.at(32), Order::Relaxed), [2, 1, 0], "others keep theirs");
    memory.forget(0, usize::MAX);
    store(&mut memory, 1, real.at(32), 3, Order::Relaxed);
    memory.forget(real.at(0), 64);
    assert_eq!(values(&mut memory, 2, real.at(32), Order::Relaxed), [3]);
    // A lock, too, is another one then.
    memory.release(1, real.at(40));
    memory.release(1, real.at(48));
    memory.forget(real.at(40), 8);
    memory.acquire(2, real.at(40));
    assert!(memory.acquired().is_empty());
    memory.acquire(2, real.at(48));
    assert!(!memory.acquired().is_empty());
}

#[test]
fn an_object_that_no_cell_can_hold_has_one_value() {
    let (mut memory, mut real) = (begin(Level::Cpp20), Real::new());
    for _ in 0..2 {
        assert_eq!(memory.store(1, real.at(8), 24, Order::Release), 1);
        assert_eq!(memory.commit(0), real.at(8));
        write(real.at(8), 5);
    }
    assert_eq!(memory.load(2, real.at(8), 24, Order::Acquire), 1);
    assert_eq!(memory.commit(0), real.at(8));
    assert_ne!(memory.clock(2)[1], 0);
    store(&mut memory, 1, real.at(28), 1, Order::Relaxed);
    assert_eq!(values(&mut memory, 2, real.at(28), Order::Relaxed), [1, 0], "its last bytes");
    assert_eq!(memory.load(2, real.at(8), 24, Order::Acquire), 1);
    memory.commit(0);
    assert_eq!(values(&mut memory, 0, real.at(28), Order::Relaxed), [1], "have no history of their own now");
}

#[test]
fn an_access_of_another_size_ends_the_histories_that_it_overlaps() {
    for (offset, size) in [(0, 8), (0, 16), (4, 2), (3, 4), (6, 1)] {
        let (mut memory, mut real) = (begin(Level::Cpp20), Real::new());
        for at in [0, 4, 16] {
            store(&mut memory, 1, real.at(at), 1, Order::Release);
            store(&mut memory, 1, real.at(at), 2, Order::Release);
        }
        assert_eq!(memory.load(2, real.at(offset), size, Order::Acquire), 1, "{offset} {size}");
        assert_eq!(memory.commit(0), real.at(offset), "the real one");
        assert_ne!(memory.clock(2)[1], 0, "what was released there is acquired");
        assert_eq!(values(&mut memory, 2, real.at(4), Order::Relaxed), [2]);
        let other = if offset + size as usize > 4 && offset < 4 { 1 } else { 3 };
        // Of the first location, only if it was overlapped, too; the thread has acquired all of it otherwise.
        assert_eq!(values(&mut memory, 0, real.at(0), Order::Relaxed).len(), other, "{offset} {size}");
        assert_eq!(values(&mut memory, 0, real.at(16), Order::Relaxed).len(), 3, "a neighbour keeps its own");
    }
}

#[test]
fn an_access_that_lies_in_two_granules_overlaps_both() {
    let (mut memory, mut real) = (begin(Level::Cpp20), Real::new());
    // Of 16 bytes each, aligned.
    let base = real.at(0).next_multiple_of(16) - real.at(0);
    for at in [12, 16] {
        store(&mut memory, 1, real.at(base + at), 1, Order::Relaxed);
    }
    memory.store(1, real.at(base + 14), 4, Order::Relaxed);
    let at = std::ptr::with_exposed_provenance_mut::<u32>(memory.commit(0));
    // SAFETY: It lies in memory of the test.
    unsafe { at.write_unaligned(0) };
    for at in [12, 16] {
        assert_eq!(memory.load(2, real.at(base + at), 4, Order::Relaxed), 1);
        memory.commit(0);
    }
    store(&mut memory, 1, real.at(base + 16), 5, Order::Relaxed);
    assert_eq!(memory.load(2, real.at(base + 14), 4, Order::Relaxed), 1);
    memory.commit(0);
    assert_eq!(memory.load(2, real.at(base + 16), 4, Order::Relaxed), 1, "it ended that one's history");
}

#[test]
fn so_many_stores_of_a_location_are_kept() {
    let (mut memory, mut real) = (begin(Level::Cpp20), Real::new());
    for value in 1..=40 {
        store(&mut memory, 1, real.at(0), value, Order::Relaxed);
    }
    let values = values(&mut memory, 2, real.at(0), Order::Relaxed);
    assert_eq!(values.len(), KEPT);
    assert_eq!((values[0], values[KEPT - 1]), (40, 41 - KEPT as u32));
}

#[test]
fn a_store_can_be_placed_before_others_and_then_leaves_the_real_value() {
    let (mut memory, mut real) = (begin(Level::Cpp20), Real::new());
    store(&mut memory, 1, real.at(0), 1, Order::Relaxed);
    store(&mut memory, 1, real.at(0), 2, Order::Relaxed);
    assert_eq!(memory.store(2, real.at(0), 4, Order::Release), 3);
    let at = memory.commit(1);
    assert_ne!(at, real.at(0));
    write(at, 9);
    assert_eq!(real.0[0], 2);
    assert_eq!(values(&mut memory, 0, real.at(0), Order::Relaxed), [2, 9, 1, 0]);
    assert_eq!(memory.clock(0)[2], 0, "relaxed loads acquire nothing");
    memory.fence(0, Order::Acquire);
    assert_eq!(memory.clock(0)[2], 1, "a fence acquires what they have read");
    assert_eq!(memory.acquired(), [(2, 1)]);
}

#[test]
fn a_compare_exchange_that_fails_writes_to_a_copy() {
    let (mut memory, mut real) = (begin(Level::Cpp20), Real::new());
    store(&mut memory, 1, real.at(0), 1, Order::Relaxed);
    store(&mut memory, 1, real.at(0), 2, Order::Relaxed);
    let expected = [5; 16];
    assert_eq!(memory.compare_exchange(2, real.at(0), 4, Order::Relaxed, Order::Relaxed, expected), 3);
    let at = memory.commit(1);
    write(at, 77);
    assert_eq!(values(&mut memory, 0, real.at(0), Order::Relaxed), [2, 1, 0]);
}

#[test]
fn a_loop_that_waits_leaves_the_order_of_others_open() {
    let (mut memory, mut real) = (begin(Level::Cpp20), Real::new());
    store(&mut memory, 1, real.at(0), 1, Order::SeqCst);
    for _ in 0..3 * WINDOW {
        values(&mut memory, 2, real.at(4), Order::SeqCst);
    }
    assert_eq!(values(&mut memory, 0, real.at(0), Order::SeqCst), [1, 0]);
}

#[test]
fn what_has_left_the_graph_comes_before_what_is_still_to_come() {
    let (mut memory, mut real) = (begin(Level::Cpp20), Real::new());
    for value in 1..=12 {
        store(&mut memory, 1, real.at(0), value, Order::SeqCst);
        store(&mut memory, 1, real.at(4), value, Order::SeqCst);
    }
    // Of 24 stores the first 8 have left, and one more makes room: of 13 values of a location the first 4 or 5 are gone.
    assert_eq!(memory.load(2, real.at(0), 4, Order::SeqCst), 8);
    assert_eq!(memory.load(0, real.at(4), 4, Order::SeqCst), 9);
    assert_eq!(memory.load(2, real.at(0), 4, Order::Relaxed), 13, "others are free");
}

#[test]
fn many_threads_and_locations_have_room() {
    const THREADS: usize = 300;
    let mut memory = Memory::new();
    for level in [Level::Cpp20, Level::Tso, Level::Sc] {
        let mut real = vec![0u64; 1000];
        let at = |index: usize| (&raw const real[index]).expose_provenance();
        let addresses: Vec<usize> = (0..1000).map(at).collect();
        memory.begin(level);
        for thread in 1..THREADS {
            memory.add_thread(thread - 1, thread);
            assert_eq!(memory.acquired().len(), thread, "all of its ancestors");
            for address in [addresses[thread], addresses[thread + 400]] {
                memory.store(thread, address, 8, Order::Release);
                // SAFETY: It lies in the vector, or is a cell.
                unsafe { std::ptr::with_exposed_provenance_mut::<u64>(memory.commit(0)).write_volatile(thread as u64) };
            }
            memory.fence(thread, Order::SeqCst);
            memory.release(thread, thread);
        }
        for address in &addresses[1..THREADS] {
            let options = memory.load(0, *address, 8, Order::Relaxed);
            assert_eq!(options, if level == Level::Sc { 1 } else { 2 }, "{level:?}");
            memory.commit(options - 1);
        }
        for thread in 1..THREADS {
            memory.acquire(0, thread);
            assert_eq!(memory.load(0, addresses[thread + 400], 8, Order::Relaxed), 1, "{level:?}: {thread}");
            memory.commit(0);
        }
        // Two stores, a fence and a release of each, and before those of the last the creation of it.
        assert_eq!(memory.clock(0)[1..THREADS - 1], [5; THREADS - 2]);
        assert_eq!(memory.clock(0)[THREADS - 1], 4);
        real.clear();
    }
}
