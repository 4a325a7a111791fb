//! Task graphs with leases, whose files fail and whose process crashes: fuzz/controlled/targets/lease.rs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use threadbare_fuzz::become_controlled;

fuzz_target!(init: become_controlled("lease"), |_bytes: &[u8]| {});
