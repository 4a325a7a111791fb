//! The third phase of generation: calls on the systems beside the scheduler.
//!
//! A task graph that is about systems has *crews*: tasks that run at once and do little else than call, so that
//! calls overlap; and calls stand in some of the holes that are left. A call waits for nothing and cannot fail.
//! What a crew waits for besides is a mutex that comes last in the order of locks, with one call inside. So a
//! crew is quiet, as its parent sees it, and nothing gets stuck that did not before.

use super::decisions::Decisions;
use super::draft::{Draft, DraftTask, Step, id};
use crate::model::schedule::Injection;
use crate::task_graph::call::{Agent, Body, Call, Pair};
use crate::task_graph::{AccessChecks, Affinity, ObjectId, Operation, ResultKind};

/// Task graphs about no system, about one, and about some.
const CAST: [u32; 3] = [4, 3, 1];
/// Members of a crew, and what each does: at least and at most.
const MEMBERS: (u32, u32) = (2, 5);
const TURNS: (u32, u32) = (1, 4);
/// One crew for so many tasks.
const TASKS_PER_CREW: u32 = 6;
/// Holes that calls fill: so many of so many.
const FILLED: (u32, u32) = (1, 3);
/// Objects of one system, pairs of a registry, and agents of a lease: at most. Mostly there is one object, so that
/// calls meet.
const MAX_OBJECTS: u32 = 2;
const MAX_PAIRS: u32 = 3;
const MAX_AGENTS: u32 = 3;
/// Resumes in a row: at most.
const MAX_RESUMES: u32 = 3;
/// Branches in one another: at most.
const MAX_BRANCHES: u32 = 3;
/// Task graphs with leases in which calls on files may fail for lack of space, or for any reason: so many of so many.
const FULL_DISKS: (u32, u32) = (1, 2);
const BAD_DISKS: (u32, u32) = (1, 12);
/// Task graphs about leases that may crash: so many of so many. Few, since a crash costs a worker.
const CRASHES: (u32, u32) = (1, 64);
/// Microseconds after which no lease of an execution is stale.
const NEVER_STALE: u32 = 1_000_000_000;

/// What a task graph is about, besides the scheduler.
pub(super) struct Cast {
    processors: bool,
    contexts: bool,
    registries: bool,
    leases: bool,
}

impl Cast {
    pub fn draw(source: &mut impl Decisions) -> Self {
        let chosen: [bool; 4] = match source.weighted(&CAST) {
            0 => [false; 4],
            1 => {
                let one = source.below(4) as usize;
                std::array::from_fn(|system| system == one)
            }
            _ => std::array::from_fn(|_| source.chance(1, 2)),
        };
        let [processors, contexts, registries, leases] = chosen;
        Self { processors, contexts, registries, leases }
    }

    pub fn none() -> Self {
        Self { processors: false, contexts: false, registries: false, leases: false }
    }

    pub fn is_empty(&self) -> bool {
        !(self.processors || self.contexts || self.registries || self.leases)
    }

    /// How many of `size` tasks are left for the skeleton.
    pub fn skeleton_size(&self, size: u32) -> u32 {
        if self.is_empty() { size } else { (size / 3).max(1) }
    }
}

/// Adds the objects, the crews and the calls.
pub(super) fn fill(source: &mut impl Decisions, draft: &mut Draft, cast: &Cast, size: u32) {
    if cast.is_empty() {
        return;
    }
    let props = Props::draw(source, draft, cast);
    if cast.leases {
        let is_full = source.chance(FULL_DISKS.0, FULL_DISKS.1);
        draft.injections.set(Injection::Enospc, is_full);
        draft.injections.set(Injection::ShortWrite, is_full);
        draft.injections.set(Injection::Eio, source.chance(BAD_DISKS.0, BAD_DISKS.1));
        draft.injections.set(Injection::Crash, source.chance(CRASHES.0, CRASHES.1));
    }
    let mut systems = Systems { source, draft, props, next_value: 1 };
    // Only what the skeleton made: holes would be filled twice, and crews have none.
    let tasks = systems.draft.tasks.len();
    systems.crew(0);
    for _ in 1..(size / TASKS_PER_CREW) {
        let parent = systems.source.below(tasks as u32) as usize;
        systems.crew(parent);
    }
    for task in 0..tasks {
        systems.fill_holes(task);
    }
}

/// The objects that calls are made on.
struct Props {
    /// With the mutex that keeps others out of one that does not check.
    processors: Vec<(ObjectId, Option<ObjectId>)>,
    engines: u32,
    /// The pairs of each registry.
    registries: Vec<Vec<Pair>>,
    leases: u32,
    agents: u32,
    /// The kinds of call to choose from, each as often as is its weight.
    kinds: Vec<Kind>,
}

#[derive(Clone, Copy)]
enum Kind {
    Resume,
    Branch,
    Arc,
    Lease,
}

impl Props {
    fn draw(source: &mut impl Decisions, draft: &mut Draft, cast: &Cast) -> Self {
        let objects = &mut draft.objects;
        let mut count = |wanted: bool| match wanted {
            true if source.chance(1, 4) => MAX_OBJECTS,
            true => 1,
            false => 0,
        };
        let (processors, engines, registries, leases) =
            (count(cast.processors), count(cast.contexts), count(cast.registries), count(cast.leases));
        let kinds = [
            (cast.processors, Kind::Resume),
            (cast.contexts, Kind::Branch),
            (cast.registries, Kind::Arc),
            (cast.leases, Kind::Lease),
        ];
        objects.engines = engines;
        objects.registries = registries;
        objects.leases = leases;
        for _ in 0..processors {
            objects.processors.push(if source.chance(2, 5) { AccessChecks::Off } else { AccessChecks::On });
        }
        let guarded = (0..).zip(&objects.processors).map(|(id, checks)| {
            let guard = (*checks == AccessChecks::Off).then(|| {
                objects.mutexes += 1;
                objects.mutexes - 1
            });
            (id, guard)
        });
        Self {
            processors: guarded.collect(),
            engines,
            registries: (0..registries).map(|_| pairs(source)).collect(),
            leases,
            agents: source.between(2, MAX_AGENTS),
            kinds: kinds.into_iter().filter_map(|(wanted, kind)| wanted.then_some(kind)).collect(),
        }
    }
}

/// Mostly one pair.
fn pairs(source: &mut impl Decisions) -> Vec<Pair> {
    let count = source.weighted(&[3, 1, 1]) as u32 + 1;
    (0..count.min(MAX_PAIRS)).map(|b| Pair { a: source.below(2), b: b + 1 }).collect()
}

struct Systems<'a, D> {
    source: &'a mut D,
    draft: &'a mut Draft,
    props: Props,
    /// The next value to put, each another.
    next_value: i64,
}

impl<D: Decisions> Systems<'_, D> {
    /// Adds a crew, begun and waited for by a task.
    fn crew(&mut self, parent: usize) {
        let first = self.draft.tasks.len();
        // Calls meet best where all begin with the same.
        let opening = if self.source.chance(1, 2) { self.turn(0) } else { vec![] };
        for _ in 0..self.source.between(MEMBERS.0, MEMBERS.1) {
            self.member(&opening);
        }
        let members = (first..self.draft.tasks.len()).map(id);
        // Before any step, so that nothing comes after a failure that ends the task.
        let steps = self.draft.tasks[parent].steps.len() as u32;
        let place = self.source.below(steps + 1).min(steps.saturating_sub(1)) as usize;
        let operations: Vec<Operation> = if self.source.chance(1, 2) {
            vec![Operation::WhenAll(members.collect())]
        } else {
            members.clone().map(Operation::Start).chain(members.map(Operation::Join)).collect()
        };
        self.draft.tasks[parent].steps.splice(place..place, operations.into_iter().map(Step::new));
    }

    fn member(&mut self, opening: &[Operation]) {
        let affinity = if self.source.chance(1, 6) { Affinity::Main } else { Affinity::Worker };
        let mut task = DraftTask::new(affinity, ResultKind::Void);
        task.steps.extend(opening.iter().cloned().map(Step::new));
        // A member mostly acts for itself.
        let agent = self.source.below(self.props.agents);
        for _ in 0..self.source.between(TURNS.0, TURNS.1) {
            if self.source.chance(1, 8) {
                task.steps.push(Step::new(Operation::Yield));
            }
            task.steps.extend(self.turn(agent).into_iter().map(Step::new));
        }
        self.draft.tasks.push(task);
    }

    fn fill_holes(&mut self, task: usize) {
        let agent = self.source.below(self.props.agents);
        // From the last one on, so that the places of the others stay.
        for place in (0..self.draft.tasks[task].steps.len()).rev() {
            if self.draft.tasks[task].steps[place].operation.is_none() && self.source.chance(FILLED.0, FILLED.1) {
                let operations = self.turn(agent);
                self.draft.tasks[task].steps.splice(place..=place, operations.into_iter().map(Step::new));
            }
        }
    }

    /// What belongs together, to stand in a row.
    fn turn(&mut self, agent: Agent) -> Vec<Operation> {
        let kind = self.source.below(self.props.kinds.len() as u32) as usize;
        match self.props.kinds[kind] {
            Kind::Resume => self.resume(),
            Kind::Branch => {
                let mut operations = vec![];
                self.branch(&mut operations, 1);
                operations
            }
            Kind::Arc => self.arc().into_iter().map(Operation::Call).collect(),
            Kind::Lease => self.lease(agent).into_iter().map(Operation::Call).collect(),
        }
    }

    /// One processor, a few times.
    fn resume(&mut self) -> Vec<Operation> {
        let index = self.source.below(self.props.processors.len() as u32) as usize;
        let (processor, guard) = self.props.processors[index];
        let mut operations = vec![];
        for _ in 0..self.source.between(1, MAX_RESUMES) {
            let body = match self.source.weighted(&[4, 4, 2, 1]) {
                0 => Body::Plain,
                1 => Body::Nested,
                2 => Body::Throwing,
                _ => Body::HandingOver,
            };
            operations.extend(guard.map(Operation::Lock));
            operations.push(Operation::Call(Call::Resume(processor, body)));
            operations.extend(guard.map(Operation::Unlock));
        }
        operations
    }

    /// A branch that looks before and after it puts something.
    fn branch(&mut self, operations: &mut Vec<Operation>, depth: u32) {
        let mut call = |call| operations.push(Operation::Call(call));
        call(if self.source.chance(1, 2) {
            Call::NestBranch
        } else {
            Call::BeginBranch(self.source.below(self.props.engines))
        });
        call(Call::GetContext);
        if self.source.chance(3, 4) {
            call(Call::PutContext(self.next_value));
            self.next_value += 1;
        }
        if depth < MAX_BRANCHES && self.source.chance(1, 4) {
            self.branch(operations, depth + 1);
        }
        if self.source.chance(1, 2) {
            operations.push(Operation::Call(Call::GetContext));
        }
        operations.push(Operation::Call(Call::EndBranch));
    }

    /// The life of an arc, or a part of it, or a look at all.
    fn arc(&mut self) -> Vec<Call> {
        let registry = self.source.below(self.props.registries.len() as u32);
        let pairs = &self.props.registries[registry as usize];
        let pair = pairs[self.source.below(pairs.len() as u32) as usize];
        let end = |complete| if complete { Call::CompleteArc(registry, pair) } else { Call::CancelArc(registry, pair) };
        match self.source.weighted(&[6, 1, 2, 2, 1, 2]) {
            0 => {
                let mut life = vec![Call::StartArc(registry, pair)];
                if self.source.chance(1, 3) {
                    life.push(Call::ProgressArc(registry, pair));
                }
                if self.source.chance(3, 4) {
                    life.push(end(self.source.chance(2, 3)));
                }
                life
            }
            1 => vec![Call::ProgressArc(registry, pair)],
            2 => vec![end(self.source.chance(2, 3))],
            3 => vec![Call::ArcStatus(registry, pair)],
            4 => vec![Call::ActiveArcs(registry)],
            _ => vec![Call::ProcessArcs(registry)],
        }
    }

    /// The term of a holder, or a part of it, or what somebody else may do.
    fn lease(&mut self, own: Agent) -> Vec<Call> {
        let lease = self.source.below(self.props.leases);
        let agent = if self.source.chance(2, 3) { own } else { self.source.below(self.props.agents) };
        match self.source.weighted(&[5, 3, 1, 1, 2]) {
            0 => {
                let mut term = vec![Call::AcquireLease(lease, agent)];
                if self.source.chance(1, 2) {
                    term.push(Call::RefreshLease(lease, agent));
                }
                if self.source.chance(1, 3) {
                    term.push(Call::ReleaseLease(lease, agent));
                }
                term
            }
            1 => vec![Call::RefreshLease(lease, agent)],
            2 => vec![Call::ReleaseLease(lease, agent)],
            3 => vec![Call::LeaseHolder(lease)],
            _ => vec![Call::CleanupStale(lease, if self.source.chance(3, 4) { 0 } else { NEVER_STALE })],
        }
    }
}
