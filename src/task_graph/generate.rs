//! The generator: valid task graphs that no schedule can get stuck in, unless an allocation is made to fail.
//!
//! A task graph is drawn in three phases. The [`skeleton`] is the task tree with all that waits for nothing
//! but tasks and locks, and with *holes* between its operations. The [`supply`] phase then fills holes
//! with the operations on semaphores, events, latches, barriers and channels. In about half of the task graphs the
//! [`systems`] phase adds tasks that call on processors, contexts, registries and leases, which waits for nothing.
//!
//! Why nothing gets stuck:
//!
//! - *Locks* (mutexes, and semaphores used as acquire..release pairs) nest in one global order. Between
//!   taking and giving back there are only operations that wait for nothing, nested later locks, and
//!   awaits of *quiet* children: tasks whose whole subtree waits for nothing but still later locks. So of
//!   all tasks that hold locks, the one that holds the last can always go on, and every lock comes back.
//! - *Every other object* has a rank. Its waiting operations stand anywhere, but each operation that is
//!   counted on to let the waiters go on stands where it is *sure* and *untainted*. Sure: no earlier
//!   operation of the task, nor of those on the way from the root to its beginning, can fail. Untainted:
//!   none of the operations that come before it in every schedule (earlier in the task or before its
//!   beginning, and in the children waited for by then) waits for an object of the same or a higher rank.
//!   The supply so counted covers the greatest demand there can be.
//!
//! Suppose that an execution were stuck. Take the waiting operation on the object of the lowest rank. Some
//! supply of that object was not given, so its task has not come that far. As it is sure, the task did
//! not fail before; so it, or a task that it depends on, waits for an object before that point, which
//! must be of a lower rank: a contradiction. A channel whose senders and receivers wait for one another has
//! one argument more; it stands in `supply`. The test `tests/library/task_graph_progress.rs` tries it all out.
//!
//! Objects are planned from the highest rank down, so a set of tainted positions that only grows is all
//! there is to keep; and the beginning of the root, which nothing comes before, can supply anything.

mod decisions;
mod draft;
mod skeleton;
mod supply;
mod systems;

use arbitrary::Unstructured;
use serde::{Deserialize, Serialize};

pub use decisions::{Decisions, Seeded};

use super::{TaskGraph, allows, narrow, validate};
use crate::model::offers::Offers;

/// The size at which small task graphs show most bugs quickest: about six tasks and 25 operations.
pub const DEFAULT_SIZE: u32 = 6;
/// The greatest size: a task graph of about so many tasks.
pub const MAX_SIZE: u32 = 10_000;

/// Of so many task graphs one runs out of memory in the middle.
const MEMORY_ODDS: u32 = 32;
/// About what executions of generated task graphs allocate: so often for each task, and besides.
const ALLOCATIONS_PER_TASK: u32 = 4;
const ALLOCATIONS_SPARE: u32 = 20;

/// What task graphs are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// About so many tasks: 1 to [`MAX_SIZE`], others are moved into that range.
    pub size: u32,
    pub systems: Systems,
    /// What the runtime can execute of them.
    pub offers: Offers,
}

/// Which of the systems beside the scheduler task graphs use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Systems {
    /// Each task graph some, or none.
    All,
    /// The scheduler alone, and nothing is made to fail.
    None,
}

impl Shape {
    /// Task graphs of that size that may use everything.
    #[must_use]
    pub fn of_size(size: u32) -> Self {
        Self { size, systems: Systems::All, offers: Offers::default() }
    }

    /// Whether a task graph uses nothing that those of this shape leave out.
    #[must_use]
    pub fn allows(self, graph: &TaskGraph) -> bool {
        (self.systems == Systems::All || !graph.objects.has_systems()) && allows(&self.offers, graph)
    }
}

/// Draws a task graph.
pub fn generate(source: &mut impl Decisions, shape: Shape) -> TaskGraph {
    let size = shape.size.clamp(1, MAX_SIZE);
    let cast = match shape.systems {
        Systems::All => systems::Cast::draw(source),
        Systems::None => systems::Cast::none(),
    };
    let mut draft = skeleton::draw(source, cast.skeleton_size(size));
    supply::fill(source, &mut draft);
    systems::fill(source, &mut draft, &cast, size);
    let mut graph = draft.finish();
    // Last, so that what it is drawn from decides the same of the others.
    if shape.systems == Systems::All && source.chance(1, MEMORY_ODDS) {
        let most = ALLOCATIONS_SPARE + ALLOCATIONS_PER_TASK * graph.tasks.len() as u32;
        graph.injections.failing_allocation = Some(source.between(1, most).into());
    }
    narrow(&mut graph, &shape.offers);
    debug_assert_eq!(validate::validate(&graph), Ok(()), "{graph:?}");
    graph
}

/// The task graph of a seed, which may use everything.
#[must_use]
pub fn from_seed(seed: u64, size: u32) -> TaskGraph {
    from_seed_in_shape(seed, Shape::of_size(size))
}

/// The task graph of a seed.
#[must_use]
pub fn from_seed_in_shape(seed: u64, shape: Shape) -> TaskGraph {
    generate(&mut Seeded::new(seed), shape)
}

/// The task graph of a fuzzer's bytes. Any bytes will do; none give the smallest task graph.
pub fn from_bytes(bytes: &mut Unstructured<'_>, size: u32) -> TaskGraph {
    generate(bytes, Shape::of_size(size))
}
