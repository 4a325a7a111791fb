//! Task graphs with choices, judged by all oracles: fuzz/controlled/targets/differential.rs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use threadbare_fuzz::become_controlled;

fuzz_target!(init: become_controlled("differential"), |_bytes: &[u8]| {});
