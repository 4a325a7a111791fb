//! Task graphs with leases, whose files fail and whose process crashes; judged by all oracles.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target};
use threadbare::allocator::Allocator;
use threadbare::fuzzing::{execute_alone_if_asked, put, run};
use threadbare::input::{Mutator, Theme};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator::new();

fuzz_target!(init: execute_alone_if_asked(), |bytes: &[u8]| -> Corpus {
    if run(bytes) { Corpus::Keep } else { Corpus::Reject }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    put(&Mutator::of(Theme::Files).mutate(&data[..size], seed, max_size), data)
});
