//! What a program tells of its own order, by way of cpp/control/annotations.c, for threadbare's detector of races; ThreadSanitizer
//! is told by itself, where it is loaded.

use std::ffi::c_uint;

use crate::control::active::active;
use crate::control::order::{self, Heed};

/// Called by each annotation that says something of races. The numbers are those of cpp/control/annotations.c.
#[unsafe(no_mangle)]
extern "C" fn threadbare_annotated(what: c_uint, address: usize, size: usize) {
    if active().is_none() || !order::is_on() {
        return;
    }
    match what {
        0 => order::acquire(address),
        1 => order::release(address),
        2 => order::heed(Heed { reads: -1, writes: 0 }),
        3 => order::heed(Heed { reads: 1, writes: 0 }),
        4 => order::heed(Heed { reads: 0, writes: -1 }),
        5 => order::heed(Heed { reads: 0, writes: 1 }),
        6 => order::heed(Heed { reads: -1, writes: -1 }),
        7 => order::heed(Heed { reads: 1, writes: 1 }),
        8 => order::races_are_meant(address..address.saturating_add(size)),
        _ => order::begins(address..address.saturating_add(size)),
    }
}
