//! The allocator of the executable's Rust: small blocks for the first OS thread, by size, from a region of their own.
//!
//! The task graph, history and judgement of an execution are hundreds of small blocks, for each of which the C library takes
//! tens of nanoseconds and a sanitizer several times as long. Rust is never instrumented, so no check is lost. What targets
//! allocate goes where it did.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::ptr::{self, null_mut};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// Bytes of the region. It is a block of the system allocator, so a search for leaks looks into it as into any other.
const REGION: usize = 8 << 20;
/// The greatest alignment. Sizes are rounded up to a multiple of it, and above `FINE` to a power of two.
const GRAIN: usize = 16;
const FINE: usize = 512;
const LARGEST: usize = 32 << 10;
const FINE_CLASSES: usize = FINE / GRAIN;
const CLASSES: usize = FINE_CLASSES + (LARGEST / FINE).ilog2() as usize;

/// Where other OS threads, larger blocks and whatever the region has no room for get the system allocator's. One in a process.
pub struct Allocator {
    /// An OS thread has the region.
    is_owned: AtomicBool,
    /// Where the region lies.
    start: AtomicUsize,
    /// Blocks of the region that other threads than the owner have freed.
    returned: AtomicPtr<Free>,
    lists: UnsafeCell<Lists>,
}

struct Lists {
    /// Index: class.
    free: [*mut Free; CLASSES],
    /// What was never given out of the region.
    fresh: *mut u8,
    left: usize,
}

/// What lies in a free block.
struct Free {
    next: *mut Free,
    /// Only meaningful in `returned`.
    class: usize,
}

// SAFETY: `lists` belongs to the owner; everything else is atomic.
unsafe impl Sync for Allocator {}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Unknown,
    Owner,
    Other,
}

thread_local! {
    static ROLE: Cell<Role> = const { Cell::new(Role::Unknown) };
}

const fn is_small(layout: Layout) -> bool {
    layout.size() <= LARGEST && layout.align() <= GRAIN
}

const fn class_of(size: usize) -> usize {
    if size <= FINE { (size - 1) / GRAIN } else { FINE_CLASSES + ((size - 1) / FINE).ilog2() as usize }
}

const fn size_of_class(class: usize) -> usize {
    if class < FINE_CLASSES { (class + 1) * GRAIN } else { FINE << (class - FINE_CLASSES + 1) }
}

impl Allocator {
    #[must_use]
    #[allow(clippy::new_without_default, reason = "for a static")]
    pub const fn new() -> Self {
        Self {
            is_owned: AtomicBool::new(false),
            start: AtomicUsize::new(0),
            returned: AtomicPtr::new(null_mut()),
            lists: UnsafeCell::new(Lists { free: [null_mut(); CLASSES], fresh: null_mut(), left: 0 }),
        }
    }

    /// Whether a block is of the region. Where there is none, nothing lies as low as this takes it to be.
    #[inline]
    fn has(&self, block: *mut u8) -> bool {
        block.addr().wrapping_sub(self.start.load(Ordering::Relaxed)) < REGION
    }

    /// The lists, if they are the calling thread's. No call of anything else is made while they are borrowed.
    #[inline]
    #[allow(clippy::mut_from_ref, reason = "the borrow ends before anybody else can begin one")]
    fn own_lists(&self) -> Option<&mut Lists> {
        match ROLE.get() {
            Role::Unknown => self.learn_role(),
            // SAFETY: only this thread comes here, and only with no other borrow, see above.
            Role::Owner => Some(unsafe { &mut *self.lists.get() }),
            Role::Other => None,
        }
    }

    /// Whoever comes first has the region.
    #[cold]
    #[allow(clippy::mut_from_ref, reason = "as `own_lists`")]
    fn learn_role(&self) -> Option<&mut Lists> {
        ROLE.set(Role::Other);
        if self.is_owned.swap(true, Ordering::Relaxed) {
            return None;
        }
        let layout = Layout::from_size_align(REGION, GRAIN).ok()?;
        // SAFETY: the size is not 0.
        let region = unsafe { System.alloc(layout) };
        if region.is_null() {
            return None;
        }
        ROLE.set(Role::Owner);
        self.start.store(region.addr(), Ordering::Relaxed);
        // SAFETY: as in `own_lists`.
        let lists = unsafe { &mut *self.lists.get() };
        (lists.fresh, lists.left) = (region, REGION);
        Some(lists)
    }

    /// A block of a class whose list is empty; null if there is none left.
    #[cold]
    fn refill(&self, lists: &mut Lists, class: usize) -> *mut u8 {
        // Ordering: what others did with these blocks is over.
        let mut returned = self.returned.swap(null_mut(), Ordering::Acquire);
        // SAFETY: free blocks, which nobody else has since the swap.
        while let Some(block) = unsafe { returned.as_mut() } {
            let next = block.next;
            lists.give(returned, block.class);
            returned = next;
        }
        let block = lists.take(class);
        let size = size_of_class(class);
        if !block.is_null() || lists.left < size {
            return block;
        }
        let block = lists.fresh;
        // SAFETY: so much is left of the region.
        lists.fresh = unsafe { block.add(size) };
        lists.left -= size;
        block
    }

    /// Another thread than the owner frees a block of the region.
    #[cold]
    fn give_back(&self, block: *mut Free, class: usize) {
        let mut next = self.returned.load(Ordering::Relaxed);
        loop {
            // SAFETY: the caller gives it up, and every class has room for this.
            unsafe { block.write(Free { next, class }) };
            // Ordering: what was done with the block is over for the owner.
            match self.returned.compare_exchange_weak(next, block, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => next = other,
            }
        }
    }
}

impl Lists {
    #[inline]
    fn take(&mut self, class: usize) -> *mut u8 {
        let block = self.free[class];
        // SAFETY: a free block, or null.
        if let Some(free) = unsafe { block.as_ref() } {
            self.free[class] = free.next;
        }
        block.cast()
    }

    #[inline]
    fn give(&mut self, block: *mut Free, class: usize) {
        // SAFETY: whoever calls gives it up, and every class has room for this.
        unsafe { (*block).next = self.free[class] };
        self.free[class] = block;
    }
}

// SAFETY: a block is in one of the lists or given out, never both, and has room for all layouts of its class; any other
// block is the system allocator's.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_small(layout)
            && let Some(lists) = self.own_lists()
        {
            let class = class_of(layout.size());
            let mut block = lists.take(class);
            if block.is_null() {
                block = self.refill(lists, class);
            }
            if !block.is_null() {
                return block;
            }
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if !self.has(block) {
            // SAFETY: the caller's promise; where else it may be from.
            unsafe { System.dealloc(block, layout) };
        } else if let Some(lists) = self.own_lists() {
            lists.give(block.cast(), class_of(layout.size()));
        } else {
            self.give_back(block.cast(), class_of(layout.size()));
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !is_small(layout) {
            // SAFETY: the caller's promise.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: the caller's promise.
        let block = unsafe { self.alloc(layout) };
        if !block.is_null() {
            // SAFETY: it has this size.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if !self.has(block) {
            // SAFETY: the caller's promise; where else it may be from.
            return unsafe { System.realloc(block, layout, new_size) };
        }
        // SAFETY: the caller promises that this is a layout.
        let new = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        if is_small(new) && class_of(new_size) == class_of(layout.size()) {
            return block;
        }
        // SAFETY: the caller promises that it is not of size 0.
        let moved = unsafe { self.alloc(new) };
        if !moved.is_null() {
            // SAFETY: both have room for so much, and nobody uses the old one any more.
            unsafe {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, GRAIN).expect("a small size")
    }

    fn allocate(allocator: &Allocator, size: usize) -> *mut u8 {
        // SAFETY: no test asks for a size of 0.
        unsafe { allocator.alloc(layout(size)) }
    }

    fn free(allocator: &Allocator, block: *mut u8, size: usize) {
        // SAFETY: tests free what they allocated with this size.
        unsafe { allocator.dealloc(block, layout(size)) }
    }

    /// One that the calling thread, which is a test's own, has to itself.
    fn owned() -> &'static Allocator {
        Box::leak(Box::new(Allocator::new()))
    }

    #[test]
    fn a_class_has_room_for_its_sizes_and_no_smaller_one_has() {
        for size in 1..=LARGEST {
            let class = class_of(size);
            assert!(class < CLASSES && size <= size_of_class(class), "{size}");
            assert!(class == 0 || size > size_of_class(class - 1), "{size}");
        }
        assert_eq!(class_of(LARGEST), CLASSES - 1);
    }

    #[test]
    fn blocks_keep_what_is_written_to_each_and_are_used_again() {
        let allocator = owned();
        let sizes = (1..600).chain([1_024, 1_025, 4_097, LARGEST, LARGEST + 1]);
        let blocks: Vec<_> = sizes.map(|size| (size, allocate(allocator, size))).collect();
        for &(size, block) in &blocks {
            assert_eq!(block.addr() % GRAIN, 0);
            assert_eq!(allocator.has(block), size <= LARGEST, "{size}");
            // SAFETY: it has this size.
            unsafe { block.write_bytes(size as u8, size) };
        }
        for &(size, block) in &blocks {
            // SAFETY: written above.
            let kept = unsafe { std::slice::from_raw_parts(block, size) };
            assert!(kept.iter().all(|byte| *byte == size as u8), "{size}");
            free(allocator, block, size);
        }
        let again = allocate(allocator, 4_097);
        assert!(blocks.contains(&(4_097, again)), "what was freed is given out again");
        // SAFETY: a size that is not 0.
        let zeroed = unsafe { allocator.alloc_zeroed(layout(300)) };
        // SAFETY: it has this size.
        assert!(unsafe { std::slice::from_raw_parts(zeroed, 300) }.iter().all(|byte| *byte == 0));
        assert!(blocks.iter().any(|(_, block)| *block == zeroed), "and is zeroed where that is asked for");
    }

    #[test]
    fn what_grows_and_shrinks_keeps_its_contents() {
        let allocator = owned();
        let mut size = 8;
        let mut block = allocate(allocator, size);
        // SAFETY: it has this size.
        unsafe { block.cast::<u64>().write(0x0123_4567_89ab_cdef) };
        let first = block;
        for new in [16, 17, 500, 3_000, LARGEST, LARGEST + 1, 4 * LARGEST, 100, 9] {
            // SAFETY: it was allocated with this size, and the new one is not 0.
            block = unsafe { allocator.realloc(block, layout(size), new) };
            size = new;
            // SAFETY: written above.
            assert_eq!(unsafe { block.cast::<u64>().read() }, 0x0123_4567_89ab_cdef, "{new}");
            assert!(new != 16 || block == first, "one of the same class stays where it is");
        }
        free(allocator, block, size);
    }

    #[test]
    fn other_threads_have_the_systems_blocks_and_what_they_free_comes_back() {
        let allocator = owned();
        let blocks: Vec<_> = (0..100).map(|_| allocate(allocator, 48).expose_provenance()).collect();
        let (given, foreign) = (blocks.clone(), 200);
        let others = thread::spawn(move || {
            for block in given {
                free(allocator, ptr::with_exposed_provenance_mut(block), 48);
            }
            allocate(allocator, foreign).expose_provenance()
        });
        let other = ptr::with_exposed_provenance_mut(others.join().expect("it ends"));
        assert!(!allocator.has(other));
        free(allocator, other, foreign);
        let again: Vec<_> = (0..100).map(|_| allocate(allocator, 48).addr()).collect();
        assert!(again.iter().all(|block| blocks.contains(block)), "all of them");
    }

    #[test]
    fn the_system_allocator_goes_on_where_the_region_ends() {
        let allocator = owned();
        let blocks: Vec<_> = (0..REGION / LARGEST + 2).map(|_| allocate(allocator, LARGEST)).collect();
        assert_eq!(blocks.iter().filter(|block| allocator.has(**block)).count(), REGION / LARGEST);
        assert!(blocks.iter().all(|block| !block.is_null()));
        for block in blocks {
            free(allocator, block, LARGEST);
        }
    }
}
