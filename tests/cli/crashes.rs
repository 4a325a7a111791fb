//! Crashes in the middle of a task graph with leases, and what they leave on disk.

use crate::command::{CLEAN, Workplace};

/// A case of three agents at one lease, which crashes at a file call that depends on the seed.
fn case(seed: u64, bug: &str, verdict: &str) -> String {
    format!(
        "threadbare case 1\nruntime bundled\nthreads 4\nsanitizer none\nengine threads\nstrategy random\nseed {seed}\n\
        {bug}verdict {verdict}\nfingerprint 0000000000000000\ntask-graph\nobjects\nleases 1\ninject crash\n\
        task 0 main int\nwhen-all 1 2 3\n\
        task 1 worker void\nacquire-lease 0 1\nrefresh-lease 0 1\nrelease-lease 0 1\n\
        task 2 worker void\nacquire-lease 0 2\nrefresh-lease 0 2\nrefresh-lease 0 2\nrelease-lease 0 2\n\
        task 3 worker void\ncleanup-stale 0 0\nlease-holder 0\nacquire-lease 0 3\nend\n"
    )
}

#[test]
fn whatever_the_moment_of_the_crash_the_lease_recovers() {
    let place = Workplace::new();
    std::fs::create_dir(place.path().join("cases")).expect("a directory");
    for seed in 0..60 {
        let path = place.path().join(format!("cases/{seed}.case"));
        std::fs::write(path, case(seed, "", "clean")).expect("written");
    }
    place.run("replay cases").left_with(CLEAN);
}

#[test]
fn a_lease_that_leaves_its_temporary_file_behind_is_found() {
    let place = Workplace::new();
    std::fs::create_dir(place.path().join("cases")).expect("a directory");
    for seed in 0..60 {
        let path = place.path().join(format!("cases/{seed}.case"));
        std::fs::write(path, case(seed, "bug lease-temp-orphan\n", "leak")).expect("written");
    }
    place.run("replay cases --json out.json");
    let found = place.json("out.json")["as_expected"].as_u64();
    assert!(found.is_some_and(|found| found >= 5), "{found:?} of 60");
}
