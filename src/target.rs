//! Targets: what is loaded and explored, and how it is built.
//!
//! A target is a shared object. A *runtime* executes task graphs behind an adapter; a *program* has a `main`. Both are
//! built by [`Builder`] with the compiler that [`Toolchain`] found, and kept in [`Cache`]; [`Workshop`] ties the three
//! together.

mod builder;
pub mod bundled;
pub mod cache;
mod demangle;
pub mod dependencies;
mod digests;
mod flags;
pub mod inputs;
mod language;
mod offers;
mod points;
pub mod prebuilt;
pub mod recorded;
pub mod shipped;
mod step;
mod steps;
mod toolchain;
mod tree;
mod workshop;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::offers::Offers;
use crate::model::settings::{Races, Sanitizer};

pub use builder::{Builder, Progress};
pub use demangle::demangled;
pub use flags::has_points_at_checks_alone;
pub use language::Language;
pub use points::Points;
pub use toolchain::{Form, Toolchain};
pub use workshop::{Builds, Failed, LOADER, Workshop};

/// The flag of a runtime that has all symbols, so that a debugger can be told of it.
pub const ALL_SYMBOLS: &str = "-g";

/// What a target is made of. The same target is built once for each sanitizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// For people and the names of files: letters, digits, dashes and the like.
    pub name: String,
    pub kind: Kind,
    /// Where the compiler runs; relative paths in sources and flags are seen from here.
    pub directory: PathBuf,
    /// C or C++, what the compiler wrappers made, or what is linked as it is.
    pub sources: Vec<PathBuf>,
    /// Sources below the cpp/ that travels with the executable.
    pub shared: Vec<String>,
    /// For the compiler and the linker, after all others.
    pub flags: Vec<String>,
}

/// What a target does once it is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Executes task graphs: it defines what cpp/harness/runtime_interface.hpp asks for. So do the probes of the
    /// tests, with functions of their own. Its plain accesses are told to the detector of races, or are not.
    Runtime(Races),
    /// Has a `main`, and scheduling points at these places.
    Program(Points),
}

impl Kind {
    #[must_use]
    pub fn is_runtime(self) -> bool {
        matches!(self, Self::Runtime(_))
    }
}

impl Target {
    /// The same, for executions that are judged for races or are not. Programs are the same for both, since their plain
    /// accesses are scheduling points.
    #[must_use]
    pub fn judged(mut self, races: Races) -> Self {
        if let Kind::Runtime(judged) = &mut self.kind {
            *judged = races;
        }
        self
    }

    /// Whether threadbare is told of the plain accesses of what is built of it for a sanitizer.
    #[must_use]
    pub fn tells_accesses(&self, sanitizer: Sanitizer) -> bool {
        match self.kind {
            Kind::Runtime(races) => races == Races::On && sanitizer != Sanitizer::Thread,
            Kind::Program(points) => points == Points::Memory,
        }
    }
}

/// A target that was built for one sanitizer, as a worker loads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    /// The shared object. An empty path stands for a runtime that is linked into the executable.
    pub object: PathBuf,
    /// Archives and objects that the linker was given, but for the compiler's own.
    #[serde(default)]
    pub linked: Vec<PathBuf>,
    /// What it offers, if it is a runtime.
    #[serde(default)]
    pub offers: Offers,
    /// Its own `thread_local` variables are each fiber's.
    #[serde(default)]
    pub emulates_thread_locals: bool,
    /// The sanitizer's runtime, which is loaded before the worker's executable.
    pub preload: Vec<PathBuf>,
    /// What starts the worker; see [`crate::process::preloaded`].
    pub loader: PathBuf,
}
