//! The flags that targets are compiled and linked with: all that depends on compiler, sanitizer and kind of target.
//!
//! Build scripts include this file too, as they do [`super::toolchain`].

use super::toolchain::Toolchain;
use crate::model::settings::Sanitizer;

/// Where a target has scheduling points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instrumented {
    /// Atomic operations and calls that synchronise, and edges for feedback: a runtime, always optimised, since g++
    /// tail-calls symmetric transfer only from -O2 on, and its speed is that of the search.
    Runtime,
    /// A runtime whose plain accesses are told as well, to the detector of races; they are no scheduling points.
    JudgedRuntime,
    /// The same operations of a program.
    Synchronisation,
    /// A program's plain accesses too.
    Memory,
}

/// Calls AddressSanitizer's checks in place of making them, so that they can be points; g++ only.
const OUTLINED_CHECKS: [&str; 2] = ["--param", "asan-instrumentation-with-call-threshold=0"];

/// A sanitizer and its flags in each line; CMakeLists.txt reads the same file.
const OF_SANITIZERS: &str = include_str!("../../cpp/sanitizers.txt");

/// libstdc++ makes fewer and wider atomic operations where it is not built for ThreadSanitizer. They are to be the same in
/// every build, so that a schedule fits everywhere.
const LIBRARY_FOR_THREAD: &str = "-D_GLIBCXX_TSAN=1";

/// Sources are not to think that they are built for ThreadSanitizer.
const NO_THREAD_MACRO: &str = "-U__SANITIZE_THREAD__";

/// What a sanitizer itself needs, where code is compiled and where it is linked.
pub fn of_sanitizer(sanitizer: Sanitizer) -> impl Iterator<Item = &'static str> {
    let word = match sanitizer {
        Sanitizer::None => "none",
        Sanitizer::Thread => "thread",
        Sanitizer::Address => "address",
    };
    let of_it = OF_SANITIZERS.lines().filter_map(move |line| line.strip_prefix(word)?.strip_prefix(' '));
    of_it.flat_map(str::split_whitespace)
}

/// What every source is compiled with, before the flags of its owner.
#[must_use]
pub fn compiling(toolchain: &Toolchain, sanitizer: Sanitizer, instrumented: Instrumented) -> Vec<&'static str> {
    let mut flags = vec!["-fPIC", "-pthread", "-fno-omit-frame-pointer"];
    if toolchain.is_clang {
        flags.push("-femulated-tls");
    } else {
        flags.push("-Wno-tsan"); // It warns that TSan does not understand fences.
    }
    flags.extend(of_sanitizer(sanitizer));
    match instrumented {
        Instrumented::Runtime | Instrumented::JudgedRuntime => {
            // Hooks are reached by way of the table alone, which costs a jump less for each point.
            flags.extend(["-O2", "-g1", "-fno-plt"]);
            if toolchain.is_clang {
                // A flag for each edge: src/feedback/counters.rs.
                flags.push("-fsanitize-coverage=edge,inline-bool-flag");
            }
            if instrumented == Instrumented::JudgedRuntime && !has_points_at_checks_alone(toolchain, sanitizer) {
                flags.push(LIBRARY_FOR_THREAD);
                flags.extend(plain_accesses(toolchain));
                flags.extend(thread_instrumentation(toolchain, sanitizer));
            }
        }
        Instrumented::Synchronisation => flags.extend(["-g", "-O1", LIBRARY_FOR_THREAD]),
        Instrumented::Memory => {
            // Without optimisation the plain accesses are those of the source.
            flags.extend(["-g", "-O0", LIBRARY_FOR_THREAD]);
            if !has_points_at_checks_alone(toolchain, sanitizer) {
                // It covers atomic operations as well.
                flags.push("-DTHREADBARE_ATOMICS_ELSEWHERE");
            }
            if toolchain.is_clang {
                // Else a read just before a write is no point.
                flags.extend(["-mllvm", "-tsan-instrument-read-before-write=1"]);
            }
            flags.extend(thread_instrumentation(toolchain, sanitizer));
        }
    }
    flags
}

/// The thread instrumentation without what a runtime does not need of it: the points header has its atomic operations.
fn plain_accesses(toolchain: &Toolchain) -> [&'static str; 2] {
    if toolchain.is_clang {
        ["-mllvm", "-tsan-instrument-atomics=0"]
    } else {
        // What is left to do after a call keeps g++ from making a tail call of it.
        ["--param", "tsan-instrument-func-entry-exit=0"]
    }
}

/// Plain accesses are told by the thread instrumentation, which clang can add under every sanitizer: so the points of a program
/// are the same everywhere, and a schedule fits everywhere.
fn thread_instrumentation(toolchain: &Toolchain, sanitizer: Sanitizer) -> Vec<&'static str> {
    let mut flags = Vec::new();
    if toolchain.is_clang && sanitizer != Sanitizer::Thread {
        // Only TSan's reports need to know of calls and returns.
        flags.extend(["-mllvm", "-tsan-instrument-func-entry-exit=0"]);
    }
    if has_points_at_checks_alone(toolchain, sanitizer) {
        flags.extend(OUTLINED_CHECKS);
        return flags;
    }
    match (sanitizer, toolchain.is_clang) {
        (Sanitizer::Thread, _) => {}
        (Sanitizer::None, _) => flags.extend(["-fsanitize=thread", NO_THREAD_MACRO]),
        // The driver lets sanitizers not be mixed, since only one can be linked; only one is.
        (Sanitizer::Address, _) => flags.extend(["-Xclang", "-fsanitize=thread", NO_THREAD_MACRO]),
    }
    flags
}

/// Whether a program has scheduling points only at those plain accesses that AddressSanitizer checks: g++ has one kind of
/// instrumentation at a time, and leaves out what cannot be out of bounds.
#[must_use]
pub fn has_points_at_checks_alone(toolchain: &Toolchain, sanitizer: Sanitizer) -> bool {
    !toolchain.is_clang && sanitizer == Sanitizer::Address
}

/// Whether there is thread instrumentation in a build that is not ThreadSanitizer's, so that sources must not see it:
/// cpp/target/features.h hides the rest of it.
#[must_use]
pub fn hides_thread_instrumentation(sanitizer: Sanitizer, instrumented: Instrumented) -> bool {
    matches!(instrumented, Instrumented::Memory | Instrumented::JudgedRuntime) && sanitizer != Sanitizer::Thread
}
