//! What ThreadSanitizer remembers of a place that it has reported: nothing, and it takes no notice of reads there until what
//! it wrote in place of that is gone, which may be never. So one race would hide another one in later executions.

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::interface;

/// Places of one execution that are remembered.
const MAX_PLACES: usize = 64;
/// TSan remembers accesses by so many bytes.
const CELL: usize = 8;

static COUNT: AtomicUsize = AtomicUsize::new(0);
static PLACES: [AtomicUsize; MAX_PLACES] = [const { AtomicUsize::new(0) }; MAX_PLACES];

/// A report was made about this place.
pub(super) fn reported(address: usize) {
    let cell = address / CELL * CELL;
    let count = COUNT.load(Ordering::Relaxed);
    if PLACES[..count].iter().all(|place| place.load(Ordering::Relaxed) != cell)
        && let Some(place) = PLACES.get(count)
    {
        place.store(cell, Ordering::Relaxed);
        COUNT.store(count + 1, Ordering::Relaxed);
    }
}

/// TSan looks at places again that were reported during the execution, if they are `lasting`: any others are new memory
/// before they are used again. Called after an execution, when all that it did is ordered before what comes.
///
/// TSan keeps four accesses of each cell, and replaces one after the other where there is none of the same bytes. So after
/// two writes of each byte, there are only such.
pub(in crate::control) fn look_again(lasting: impl Fn(usize) -> bool) {
    let Some(write) = interface().write else { return };
    for place in &PLACES[..COUNT.swap(0, Ordering::Relaxed)] {
        let cell = place.load(Ordering::Relaxed);
        if !lasting(cell) {
            continue;
        }
        for byte in (cell..cell + CELL).chain(cell..cell + CELL) {
            // SAFETY: TSan only notes the access, by a place in the code that is nobody's.
            unsafe { write(byte as *const c_void, std::ptr::null()) };
        }
    }
}
