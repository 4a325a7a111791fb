//! The systems beside the scheduler, for threads that call at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use super::frame::Branch;
use super::{MAIN, lock};
use crate::model::execution::{EventKind, ThreadId};
use crate::reference::sequential::{Action, Kind, Lease, Registry};
use crate::reference::systems::{callback, visit};
use crate::task_graph::{AccessChecks, Call, Objects};

pub(super) struct Systems {
    processors: Vec<Processor>,
    /// What the context holds that the main thread keeps.
    main_context: AtomicI64,
    registries: Vec<Mutex<Registry>>,
    leases: Vec<Mutex<Lease>>,
}

/// Nobody is inside a processor.
const NOBODY: u32 = 0;

struct Processor {
    checks: AccessChecks,
    /// [`NOBODY`], or one more than the thread inside.
    owner: AtomicU32,
}

impl Processor {
    /// Lets a thread in, unless another one is inside. A task ends its visit before its thread goes on, and visits
    /// one processor at a time, so no thread comes that is inside already.
    fn enter(&self, thread: ThreadId) -> bool {
        let claim = u32::from(thread) + 1;
        self.checks == AccessChecks::Off
            || self.owner.compare_exchange(NOBODY, claim, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    fn leave(&self) {
        self.owner.store(NOBODY, Ordering::Release);
    }
}

impl Systems {
    pub fn new(objects: &Objects) -> Self {
        let processor = |&checks: &AccessChecks| Processor { checks, owner: AtomicU32::new(NOBODY) };
        Self {
            processors: objects.processors.iter().map(processor).collect(),
            main_context: AtomicI64::new(0),
            registries: (0..objects.registries).map(|_| Mutex::default()).collect(),
            leases: (0..objects.leases).map(|_| Mutex::default()).collect(),
        }
    }

    /// Makes a call on a thread, for a task in these branches, and gives what it gave. What happens inside is told.
    ///
    /// # Panics
    /// If there is no such object, or the task is in no branch: the task graph is not valid.
    pub fn perform(
        &self,
        thread: ThreadId,
        call: &Call,
        branches: &mut Vec<Branch>,
        mut tell: impl FnMut(EventKind, i64),
    ) -> i64 {
        match *call {
            Call::Resume(id, body) => {
                let processor = &self.processors[id as usize];
                if !processor.enter(thread) {
                    return 0;
                }
                visit(body, processor.checks).iter().for_each(|&(kind, depth)| tell(kind, depth));
                processor.leave();
                1
            }
            Call::BeginBranch(_) | Call::NestBranch => {
                branches.push(if thread == MAIN { Branch::Main } else { Branch::Fresh(0) });
                0
            }
            Call::EndBranch => {
                branches.pop();
                0
            }
            Call::GetContext => match innermost(branches) {
                Branch::Main => self.main_context.load(Ordering::Relaxed),
                Branch::Fresh(value) => *value,
            },
            Call::PutContext(value) => {
                match innermost(branches) {
                    Branch::Main => self.main_context.store(value, Ordering::Relaxed),
                    Branch::Fresh(held) => *held = value,
                }
                0
            }
            _ => self.act(call, tell),
        }
    }

    /// Makes a call on a registry or a lease.
    fn act(&self, call: &Call, mut tell: impl FnMut(EventKind, i64)) -> i64 {
        let gave = match Action::of(call) {
            Some((Kind::Registry, id, action)) => lock(&self.registries[id as usize]).perform(action),
            Some((_, id, action)) => lock(&self.leases[id as usize]).perform(action),
            None => 0,
        };
        // The lock was given back before the callback.
        if let Some(value) = callback(call, gave) {
            tell(EventKind::Callback, value);
        }
        gave
    }
}

fn innermost(branches: &mut [Branch]) -> &mut Branch {
    branches.last_mut().expect("only a task in a branch has a context")
}
