//! The runtimes whose adapters travel with the executable beside the bundled one.

use std::path::Path;

use super::{Kind, Target, bundled, tree};
use crate::model::settings::Races;

/// An adapter below cpp/adapters/.
pub struct Shipped {
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    source: &'static str,
}

/// All of them, but for the bundled one.
pub const SHIPPED: [Shipped; 4] = [
    Shipped {
        name: "jthread-pool",
        summary: "std::jthread, std::latch and callbacks",
        source: "adapters/jthread_pool/adapter.cpp",
    },
    Shipped {
        name: "asio",
        summary: "standalone asio's coroutines on its thread pool; needs libasio-dev",
        source: "adapters/asio/asio.cpp",
    },
    Shipped {
        name: "boost-asio",
        summary: "the same of Boost.Asio; needs libboost1.81-dev",
        source: "adapters/asio/boost.cpp",
    },
    Shipped {
        name: "onetbb",
        summary: "task groups of oneTBB; needs its sources (docs/runtimes.md)",
        source: "adapters/onetbb/adapter.cpp",
    },
];

/// The files that `threadbare runtime new` begins with.
#[must_use]
pub fn skeleton() -> [(&'static str, &'static str); 2] {
    ["adapter.cpp", "pool.hpp"].map(|name| (name, tree::text("adapters", &format!("skeleton/{name}"))))
}

/// The one of that name as a target; `tree` holds cpp/.
#[must_use]
pub fn target(tree: &Path, name: &str) -> Option<Target> {
    let shipped = SHIPPED.iter().find(|shipped| shipped.name == name)?;
    Some(Target {
        name: name.to_owned(),
        kind: Kind::Runtime(Races::Off),
        directory: tree.to_owned(),
        // Its own, so that flags reach it: the conformance list switches a seeded bug on by one.
        sources: vec![Path::new("cpp").join(shipped.source)],
        shared: vec![bundled::systems_source()],
        flags: Vec::new(),
    })
}
