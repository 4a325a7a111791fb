//! Task graphs that a runtime can execute, of those that need more than it offers.
//!
//! What is taken away is never more than what others wait for: an object goes with all that waits for it and all that
//! lets it go on, and a task that was waited for is still begun, by the same task and no later. So a task graph that no
//! schedule can get stuck in is one still, and the generator, the mutator and its grafts need know nothing of runtimes.

use super::compact::drop_unused;
use super::{AccessChecks, Affinity, Call, EventReset, Objects, Operation, TaskGraph, TaskId};
use crate::model::offers::{Capability, GivesBack, Losers, Offers};

/// Makes the task graph one that a runtime with these offers can execute.
pub fn narrow(graph: &mut TaskGraph, offers: &Offers) {
    if *offers == Offers::default() || !apply(graph, offers) {
        return;
    }
    graph.objects = drop_unused(&graph.objects, &mut graph.tasks);
}

/// Whether a runtime with these offers can execute the task graph as it is.
#[must_use]
pub fn allows(offers: &Offers, graph: &TaskGraph) -> bool {
    *offers == Offers::default() || !apply(&mut graph.clone(), offers)
}

impl Operation {
    /// What it gives back, if it does.
    #[must_use]
    pub fn gives_back(&self) -> Option<GivesBack> {
        match self {
            Self::Unlock(_) => Some(GivesBack::Unlock),
            Self::Release(_) => Some(GivesBack::Release),
            Self::SetEvent(_) => Some(GivesBack::Set),
            Self::LatchArrive(_) => Some(GivesBack::Arrive),
            Self::Close(_) => Some(GivesBack::Close),
            _ => None,
        }
    }
}

/// Whether anything changed.
fn apply(graph: &mut TaskGraph, offers: &Offers) -> bool {
    let mut changed = false;
    if !offers.survives_out_of_memory {
        changed |= graph.injections.failing_allocation.take().is_some();
    }
    if !offers.has(Capability::MainAffinity) {
        // The root's says where a task graph begins, and nothing else.
        for task in graph.tasks.iter_mut().skip(1).filter(|task| task.affinity == Affinity::Main) {
            task.affinity = Affinity::Worker;
            changed = true;
        }
    }
    if !offers.has(Capability::Mutex) {
        // One that does not check who enters is kept by a mutex.
        for checks in graph.objects.processors.iter_mut().filter(|checks| **checks == AccessChecks::Off) {
            *checks = AccessChecks::On;
            changed = true;
        }
    }
    let fallible = fallible(graph);
    for task in &mut graph.tasks {
        let narrowed = Narrowing { offers, objects: &graph.objects, fallible: &fallible, held: vec![] }
            .operations(&task.operations);
        if narrowed != task.operations {
            task.operations = narrowed;
            changed = true;
        }
    }
    changed
}

/// Which tasks may fail.
fn fallible(graph: &TaskGraph) -> Vec<bool> {
    let mut fallible = vec![graph.injections.failing_allocation.is_some(); graph.tasks.len()];
    // Children come after their parents, so theirs is known.
    for (task, operations) in graph.tasks.iter().map(|task| &task.operations).enumerate().rev() {
        fallible[task] |= operations.iter().any(|operation| may_fail(operation, &fallible));
    }
    fallible
}

fn may_fail(operation: &Operation, fallible: &[bool]) -> bool {
    match operation {
        Operation::Throw(_) | Operation::CheckCancel => true,
        Operation::Join(child) => fallible[*child as usize],
        Operation::Start(_) | Operation::AwaitCatch(_) => false,
        _ => operation.begins().iter().any(|&child| fallible[child as usize]),
    }
}

/// Of one task.
struct Narrowing<'a> {
    offers: &'a Offers,
    objects: &'a Objects,
    fallible: &'a [bool],
    /// Children whose handles it keeps.
    held: Vec<TaskId>,
}

impl Narrowing<'_> {
    fn operations(mut self, operations: &[Operation]) -> Vec<Operation> {
        let mut narrowed = Vec::with_capacity(operations.len());
        for (index, operation) in operations.iter().enumerate() {
            match operation {
                Operation::WhenAny(children) if !self.races(children) => self.when_all(children, &mut narrowed),
                Operation::WhenAll(children) if !self.offers.has(Capability::WhenAll) => {
                    self.when_all(children, &mut narrowed);
                }
                Operation::Start(child) => {
                    let keeps = self.keeps_handle(*child, &operations[index + 1..]);
                    self.start(*child, keeps, &mut narrowed);
                }
                operation if self.offers(operation) => narrowed.push(operation.clone()),
                _ => {}
            }
        }
        narrowed
    }

    fn races(&self, children: &[TaskId]) -> bool {
        let fails = || children.iter().any(|&child| self.fallible[child as usize]);
        self.offers.has(Capability::WhenAny) && (self.offers.failure_wins || !fails())
    }

    /// Begins all that a group began, and waits for all, or at least for the first.
    fn when_all(&mut self, children: &[TaskId], narrowed: &mut Vec<Operation>) {
        if self.offers.has(Capability::WhenAll) {
            return narrowed.push(Operation::WhenAll(children.to_vec()));
        }
        let fails = || children.iter().any(|&child| self.fallible[child as usize]);
        // Where one fails that is joined, the handles of those after it are given up.
        if self.offers.has(Capability::Start) && (self.offers.detaches_any_time || !fails()) {
            narrowed.extend(children.iter().map(|&child| Operation::Start(child)));
            narrowed.extend(children.iter().map(|&child| Operation::Join(child)));
            return;
        }
        for &child in &children[1..] {
            self.start(child, false, narrowed);
        }
        narrowed.push(Operation::Await(children[0]));
    }

    fn start(&mut self, child: TaskId, keeps_handle: bool, narrowed: &mut Vec<Operation>) {
        narrowed.push(Operation::Start(child));
        if keeps_handle {
            self.held.push(child);
        } else if self.offers.has(Capability::Start) {
            narrowed.push(Operation::Detach(child));
        }
    }

    /// Whether the handle of a child that was just started may be kept, for what comes.
    fn keeps_handle(&self, child: TaskId, after: &[Operation]) -> bool {
        if !self.offers.has(Capability::Start) {
            return false;
        }
        if self.offers.detaches_any_time {
            return true;
        }
        // It is certain to be joined.
        let before = after.iter().take_while(|operation| !may_fail(operation, self.fallible));
        let reached = before.count();
        after.iter().take(reached + 1).any(|operation| matches!(operation, Operation::Join(joined) if *joined == child))
    }

    fn offers(&self, operation: &Operation) -> bool {
        let has = |capability| self.offers.has(capability);
        match operation {
            Operation::Join(child) | Operation::Detach(child) => self.held.contains(child),
            Operation::Cancel(child) => has(Capability::RequestStop) && self.held.contains(child),
            Operation::CheckCancel => has(Capability::StopRequested),
            Operation::Hop(_) => has(Capability::Hop),
            Operation::Yield => has(Capability::Yield),
            Operation::Sleep(_) => has(Capability::Sleep),
            Operation::Lock(_) | Operation::Unlock(_) => has(Capability::Mutex),
            Operation::Acquire(_) | Operation::Release(_) => has(Capability::Semaphore),
            Operation::SetEvent(id) | Operation::ResetEvent(id) | Operation::WaitEvent(id) => {
                let resets_itself = self.objects.events[*id as usize] == EventReset::Auto;
                has(if resets_itself { Capability::AutoReset } else { Capability::Event })
            }
            Operation::LatchArrive(_) | Operation::LatchWait(_) => has(Capability::Latch),
            Operation::BarrierArrive(_) | Operation::BarrierWait(_) => has(Capability::Barrier),
            Operation::Send(..) | Operation::Receive(_) | Operation::Close(_) => has(Capability::Channel),
            // A branch stays on its thread, so nothing inside it may suspend the task.
            Operation::Call(
                Call::BeginBranch(_) | Call::NestBranch | Call::EndBranch | Call::GetContext | Call::PutContext(_),
            ) => self.offers.gives_back_at_once(),
            Operation::Compute(_)
            | Operation::Await(_)
            | Operation::AwaitCatch(_)
            | Operation::WhenAll(_)
            | Operation::WhenAny(_)
            | Operation::Start(_)
            | Operation::Throw(_)
            | Operation::Call(_) => true,
        }
    }
}

/// Whether the losers of a `when_any` are asked to stop.
#[must_use]
pub fn stops_losers(offers: &Offers) -> bool {
    offers.losers == Losers::StoppedAndAwaited
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::model::Model;
    use crate::task_graph::{from_seed, text, validate};

    fn narrowed(text: &str, offers: &Offers) -> String {
        let mut graph = text::parse(&format!("task-graph\nobjects\n{text}end")).expect("valid");
        narrow(&mut graph, offers);
        assert!(allows(offers, &graph), "{graph:?}");
        graph
            .tasks
            .iter()
            .map(|task| task.operations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
            .next()
            .expect("a root")
    }

    fn core() -> Offers {
        let mut core = Offers::default();
        core.detaches_any_time = false;
        core.losers = Losers::RunOn;
        core.failure_wins = false;
        core.destroys = false;
        core.survives_out_of_memory = false;
        core
    }

    #[test]
    fn task_graphs_of_every_seed_stay_valid_and_come_to_their_end_whatever_a_runtime_lacks() {
        for (seed, lacking) in (0..800).zip(Capability::ALL.into_iter().cycle()) {
            let all: Vec<Capability> = Capability::ALL.into_iter().filter(|other| *other != lacking).collect();
            for offers in [Offers::default().only(&all), core().only(&all), core().only(&[lacking]), core().only(&[])] {
                let mut graph = from_seed(seed, 8);
                narrow(&mut graph, &offers);
                assert_eq!(validate::validate(&graph), Ok(()), "{graph:?}");
                assert!(allows(&offers, &graph), "{graph:?}");
                assert!(Model::new(&graph).run(), "seed {seed} is stuck: {graph:?}");
            }
        }
    }

    #[test]
    fn groups_become_what_there_is() {
        let graph = "task 0 main int\nwhen-any 1 2\ntask 1 main int\ntask 2 worker int\n";
        let with = |capabilities: &[Capability]| {
            let mut offers = core();
            offers.failure_wins = true;
            narrowed(graph, &offers.only(capabilities))
        };
        assert_eq!(with(&[Capability::WhenAny]), "when-any 1 2");
        assert_eq!(with(&[Capability::WhenAll]), "when-all 1 2");
        assert_eq!(with(&[Capability::Start]), "start 1; start 2; join 1; join 2");
        assert_eq!(with(&[]), "start 2; await 1");
    }

    #[test]
    fn a_handle_that_cannot_be_given_up_later_is_kept_only_where_it_is_certain_to_be_joined() {
        let offers = core().only(&[Capability::Start, Capability::RequestStop, Capability::StopRequested]);
        let of = |operations: &str| {
            let graph = format!("task 0 main int\n{operations}\ntask 1 worker int\n");
            narrowed(&graph, &offers)
        };
        assert_eq!(of("start 1\ncompute 5\njoin 1"), "start 1; compute 5; join 1");
        assert_eq!(of("start 1\ncheck-cancel\ncancel 1\njoin 1"), "start 1; detach 1; check-cancel");
        assert_eq!(of("start 1\ncompute 5\ndetach 1"), "start 1; detach 1; compute 5");
        assert_eq!(of("start 1"), "start 1; detach 1");
    }

    #[test]
    fn an_object_goes_with_all_that_is_done_with_it() {
        let graph = "events auto manual\ntask 0 main int\nset-event 0\nset-event 1\nwait-event 0\nwait-event 1\n";
        assert_eq!(narrowed(graph, &core().only(&[Capability::Event])), "set-event 0; wait-event 0");
    }
}
