//! What build.rs decided: the compiler, its abilities and the sanitizer of this build.
#![forbid(unsafe_code)]

use crate::settings::Sanitizer;

/// The C++ compiler and its version, for people: "clang++-22 22.1.8".
pub const COMPILER: &str = env!("THREADBARE_COMPILER");
/// Where it is.
pub const COMPILER_PATH: &str = env!("THREADBARE_CXX");
/// Whether the engine `fibers` can be used (the compiler is clang).
pub const FIBERS: bool = env!("THREADBARE_FIBERS").as_bytes()[0] == b'1';
/// The sanitizer that the C++ of this build carries.
pub const SANITIZER: Sanitizer = match env!("THREADBARE_SANITIZER").as_bytes()[0] {
    b't' => Sanitizer::Thread,
    b'a' => Sanitizer::Address,
    _ => Sanitizer::None,
};
