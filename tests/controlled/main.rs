//! C++ under control: each test runs in a process of its own, under every sanitizer that it is for.
//!
//! With `WRITE_SEEDS` set, writes the seeds of the fuzz targets anew.

mod allocation_failures;
mod bugs;
mod control;
mod fuzz_targets;
mod harness;
mod images;
#[path = "../judge/mod.rs"]
mod judge;
mod judged;
mod primitives;
mod probes;
mod scenarios;

use harness::Group;
use threadbare::allocator::Allocator;

/// As in the executable.
#[global_allocator]
static ALLOCATOR: Allocator = Allocator::new();

const GROUPS: [Group; 7] = [
    ("allocation_failures", allocation_failures::tests),
    ("control", control::tests),
    ("bugs", bugs::tests),
    ("fuzz_targets", fuzz_targets::tests),
    ("images", images::tests),
    ("primitives", primitives::tests),
    ("scenarios", scenarios::tests),
];

fn main() {
    threadbare::fuzzing::execute_alone_if_asked();
    judge::explore_if_asked();
    if std::env::var_os("WRITE_SEEDS").is_some() {
        return fuzz_targets::write_seeds();
    }
    harness::run(&GROUPS, judged::trials);
}
