//! Programs and schedules from the fuzzer's bytes, judged by all oracles.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use threadbare::fuzzing::Differential;

thread_local! {
    static TARGET: RefCell<Differential> = RefCell::new(Differential::new().expect("the subject opens"));
}

fuzz_target!(|bytes: &[u8]| {
    if let Err(failure) = TARGET.with_borrow_mut(|target| target.run(bytes)) {
        panic!("{failure:?}");
    }
});
