//! Descriptors: the emulated kernel against the real one, and a server of asio with clients in one process.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command::{CLEAN, FOUND, Ran, Workplace};
use threadbare::target::Toolchain;

/// Random sequences of calls that both kernels are asked for.
const SEEDS: &str = "1 150";
const ASIO: &str = "-DASIO_STANDALONE -DASIO_HAS_CO_AWAIT -DASIO_HAS_STD_COROUTINE";

fn source(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name).to_string_lossy().into_owned()
}

#[test]
fn calls_on_descriptors_give_what_the_systems_kernel_gives() {
    let place = Workplace::new();
    let (source, program) = (source("tests/cli/descriptor_calls.cpp"), place.path().join("calls"));
    let mut compile = Command::new(Toolchain::find(None).expect("a compiler").compiler);
    compile.args(["-std=c++20", "-O1", &source, "-o"]).arg(&program);
    assert!(compile.status().expect("the compiler runs").success());
    let mut native = Command::new(&program);
    native.current_dir(place.path()).arg("native").args(SEEDS.split(' '));
    assert!(native.status().expect("it runs").success());
    let arguments = format!("check --sanitizer none --points sync --executions 1 {source} -- emulated {SEEDS}");
    place.run(&arguments).left_with(CLEAN);
    let read = |name: &str| fs::read_to_string(place.path().join(name)).expect("it was written");
    let (native, emulated) = (read("native"), read("emulated"));
    assert!(native.lines().count() > 10_000, "they were asked");
    let different = native.lines().zip(emulated.lines()).position(|(one, other)| one != other);
    if let Some(line) = different.or((native.len() != emulated.len()).then_some(0)) {
        let near = |text: &str| text.lines().skip(line.saturating_sub(40)).take(42).collect::<Vec<_>>().join("\n");
        panic!("line {line}:\n{}\n---- emulated\n{}", near(&native), near(&emulated));
    }
}

/// Checks the server of examples/asio, with that as its argument.
fn echo(place: &Workplace, flags: &str, fault: &str) -> Ran {
    let arguments = format!("check {} --seed 1 --stop-at-first {flags}", source("examples/asio/echo.cpp"));
    place.run_in("", &arguments, &["--flags", ASIO, "--", fault])
}

#[test]
fn what_a_short_transfer_left_is_told_by_another_edge() {
    let source = source("tests/cli/short_transfers.c");
    let how = "--sanitizer none --points sync --executions 300 --inject short-read,short-write";
    Workplace::new().run(&format!("check {source} {how}")).left_with(CLEAN);
}

#[test]
fn a_server_of_asio_is_explored_with_its_clients_and_its_faults_are_found() {
    let place = Workplace::new();
    let at_calls = "--sanitizer none --points sync";
    for (flags, what) in [
        ("--executions 1000", ""),
        ("--executions 20 --audit", ""),
        ("--executions 60 --inject short-read,short-write", ""),
        ("--executions 200", "ping-pong"),
        ("--executions 200 --audit", "ping-pong-threads"),
    ] {
        echo(&place, &format!("{at_calls} {flags}"), what).left_with(CLEAN);
    }
    for (fault, flags) in [
        ("lost-write", "--executions 300 --inject short-write"),
        ("double-close", "--executions 10"),
        ("missed-edge", "--executions 10"),
        ("shutdown-hangs", "--executions 10"),
    ] {
        echo(&place, &format!("{at_calls} {flags}"), fault).left_with(FOUND);
    }
}

/// What lies between the end of a session and the handler that uses it is plain accesses.
#[test]
fn what_a_handler_of_asio_uses_after_its_session_is_gone_is_found_with_points_at_accesses() {
    let place = Workplace::new();
    echo(&place, "--sanitizer address --executions 300", "").left_with(CLEAN);
    for (fault, executions) in [("use-after-cancel", 10), ("timer-after-destruction", 1000)] {
        let ran = echo(&place, &format!("--sanitizer address --executions {executions}"), fault).left_with(FOUND);
        assert!(ran.stdout.contains("heap-use-after-free in Session::watch"), "{}", ran.stdout);
    }
}
