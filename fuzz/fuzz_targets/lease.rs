//! Programs with leases, whose files fail and whose process crashes; judged by all oracles.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::{Corpus, fuzz_crossover, fuzz_mutator, fuzz_target};
use threadbare::fuzzing::{Executor, execute_alone_if_asked, put};
use threadbare::input::{Theme, mutate, splice};

thread_local! {
    static EXECUTOR: RefCell<Executor> = RefCell::new(Executor::new().expect("a place for temporary files"));
}

fuzz_target!(init: execute_alone_if_asked(), |bytes: &[u8]| -> Corpus {
    match EXECUTOR.with_borrow_mut(|executor| executor.run(bytes)) {
        Ok(true) => Corpus::Keep,
        Ok(false) => Corpus::Reject,
        Err(failure) => panic!("{failure:?}"),
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    put(&mutate(&data[..size], seed, max_size, Theme::Files), data)
});

fuzz_crossover!(|left: &[u8], right: &[u8], out: &mut [u8], seed: u32| { put(&splice(left, right, seed, out.len()), out) });
