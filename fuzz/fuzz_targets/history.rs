//! The history oracle against trying every order.
#![no_main]

#[cfg(sanitizes_threads)]
compile_error!("this target has one thread; run `cargo +nightly fuzz run history -s none`");

use libfuzzer_sys::fuzz_target;
use threadbare::fuzzing::check_history;

fuzz_target!(|bytes: &[u8]| {
    if let Err(disagreement) = check_history(bytes) {
        panic!("{disagreement}");
    }
});
