//! The parsers of task graphs and cases.
#![no_main]

#[cfg(sanitizes_threads)]
compile_error!("this target has one thread; run `cargo +nightly fuzz run text -s none`");

use libfuzzer_sys::fuzz_target;
use threadbare::fuzzing::check_text;

fuzz_target!(|bytes: &[u8]| {
    if let Err(difference) = check_text(bytes) {
        panic!("{difference}");
    }
});
