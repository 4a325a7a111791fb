//! Makes each allocation of small task graphs fail in turn: nothing is lost, leaked or hung, and the oracles agree.

use std::collections::BTreeSet;

use super::harness::{self, Loads, Test, controlled_engines, object, settings};
use threadbare::control::{self, Loading, Mode, Session};
use threadbare::model::execution::{Ending, Event, EventKind};
use threadbare::model::settings::{Settings, StrategyName};
use threadbare::model::verdict::Judgement;
use threadbare::oracle::Judge;
use threadbare::reference::Expectations;
use threadbare::task_graph::{OUT_OF_MEMORY, TaskGraph, text};

/// Enough for orders that are rare: a cancel allocates only where another task has started the arc again.
const SCHEDULES: u64 = 60;
/// No task graph here allocates as often.
const TOO_MANY: u64 = 500;

const TESTS: [(&str, fn()); 5] = [
    ("tasks_that_run_out_of_memory_fail_in_order", tasks),
    ("objects_are_as_before_where_a_call_on_them_runs_out_of_memory", objects),
    ("systems_are_as_before_where_a_call_on_them_runs_out_of_memory", systems),
    ("a_hundred_coroutines_in_a_queue_take_no_memory", crowd),
    ("a_task_graph_that_lost_a_supplier_may_stop", lost_supplier),
];

pub fn tests() -> Vec<Test> {
    TESTS.map(|(name, body)| Test::new(name, Loads::Runtime(None), body)).into()
}

fn open(threads: u16) -> Session {
    let settings = Settings { threads, ..settings(controlled_engines()[0], StrategyName::Random) };
    let mut session = harness::open(&settings, Loading::Runtime(&object()));
    let folder = tempfile::tempdir().expect("a temporary folder");
    session.set_directory(folder.keep().join("files")).expect("a directory");
    session
}

fn graph(text: &str, failing: u64) -> TaskGraph {
    let mut graph = text::parse(&format!("task-graph\nobjects\n{text}\nend")).expect("a valid task graph");
    graph.injections.failing_allocation = Some(failing);
    graph
}

/// The word of the operation that ran out of memory by itself, "begin" for a task that did so before its first
/// one, "root" for a task graph that did not even begin.
fn origin(graph: &TaskGraph, events: &[Event]) -> Option<&'static str> {
    if !events.iter().any(|event| event.kind == EventKind::TaskBegin) {
        return Some("root");
    }
    let first = events.iter().find(|event| {
        let failed = matches!(event.kind, EventKind::OperationFail | EventKind::TaskFail);
        failed && event.value == i64::from(OUT_OF_MEMORY)
    })?;
    let operations = &graph.tasks[first.task as usize].operations;
    Some(match first.kind {
        EventKind::OperationFail => operations[usize::from(first.operation)].word(),
        _ => "begin",
    })
}

/// Runs the task graph with each allocation failing in turn, and one more than there are; which operations ran out of
/// memory.
fn fail_each(session: &mut Session, text: &str, threads: u16) -> BTreeSet<&'static str> {
    let mut origins = BTreeSet::new();
    for failing in 1..TOO_MANY {
        let graph = graph(text, failing);
        session.load(&graph);
        let mut judge = Judge::new(&graph, threads, Expectations::of(&graph));
        let mut ran_out = false;
        for seed in 0..SCHEDULES {
            let execution = session.execute(seed, Mode::Explore { seed });
            let place = format!("allocation {failing}, {threads} threads, seed {seed}\n{graph}\n{execution:?}");
            assert_eq!(execution.ending, Ending::Completed, "{place}");
            assert_eq!(judge.judge(execution), Judgement::Right, "{place}");
            assert_eq!(execution.reports, 0, "{place}");
            ran_out |= execution.allocations >= failing;
            origins.extend(origin(&graph, &execution.events));
        }
        if !ran_out {
            return origins;
        }
    }
    panic!("more than {TOO_MANY} allocations\n{text}");
}

fn assert_origins(text: &str, expected: &[&str]) {
    let mut origins = BTreeSet::new();
    // A session is never freed; while it is held, its memory is not lost.
    let mut held = Vec::new();
    for threads in [1, 3] {
        let mut session = open(threads);
        origins.extend(fail_each(&mut session, text, threads));
        held.push(session);
        assert!(!control::leaks(), "{threads} threads\n{text}");
    }
    assert_eq!(origins, BTreeSet::from_iter(expected.iter().copied()), "{text}");
}

/// Every way to begin tasks and to wait for them, with every kind of result.
fn tasks() {
    assert_origins(
        "task 0 main unique\nawait 1\nawait-catch 2\nwhen-all 3 4 5\nwhen-any 6 7\nawait-catch 8\ncompute 1\n\
        task 1 worker void\nyield\nhop main\nsleep 5\n\
        task 2 main unique\nthrow 7\n\
        task 3 worker int\ncompute 3\nsleep 3\n\
        task 4 main void\nhop worker\n\
        task 5 worker unique\nyield\n\
        task 6 main int\nyield\ncheck-cancel\n\
        task 7 worker void\nawait 9\n\
        task 8 worker int\nstart 10\nstart 11\nstart 12\ncancel 11\ndetach 12\njoin 10\n\
        task 9 worker unique\nsleep 1\ncheck-cancel\n\
        task 10 main unique\nyield\n\
        task 11 worker void\ncheck-cancel\nyield\n\
        task 12 worker int\nhop main",
        &["await", "await-catch", "begin", "root", "sleep", "start", "when-all", "when-any"],
    );
}

/// Every operation on objects. Nobody depends on another task, so that nobody is left waiting.
fn objects() {
    let both = "lock 0\nacquire 0\nyield\nrelease 0\nunlock 0\nset-event 0\nwait-event 0\nreset-event 1\n\
        set-event 2\nbarrier-arrive 0\nbarrier-wait 0\nsend 0 5";
    assert_origins(
        &format!(
            "mutexes 1\nsemaphores 3\nevents manual manual auto\nlatches 1 1\nbarriers 1\nchannels 4\n\
            task 0 main int\nawait-catch 1\nclose 0\nreceive 0\n\
            task 1 main int\nwhen-all 2 3\n\
            task 2 worker void\n{both}\nlatch-arrive 0\nlatch-wait 0\n\
            task 3 main void\n{both}\nlatch-arrive 1\nlatch-wait 1"
        ),
        &["await-catch", "barrier-arrive", "begin", "lock", "root", "when-all"],
    );
}

/// Every call on the systems beside the scheduler.
fn systems() {
    let both = "resume 0 plain\nresume 0 nested\nresume 0 throwing\nresume 0 handing-over\n\
        begin-branch 0\nput-context 3\nnest-branch\nget-context\nend-branch\nend-branch\n\
        start-arc 0 1 2\nprogress-arc 0 1 2\narc-status 0 1 2\nactive-arcs 0\nprocess-arcs 0\n\
        complete-arc 0 1 2\ncancel-arc 0 1 2\n\
        acquire-lease 0 1\nrefresh-lease 0 1\nlease-holder 0\ncleanup-stale 0 1000000\nrelease-lease 0 1";
    assert_origins(
        &format!(
            "processors checked unchecked\nengines 1\nregistries 1\nleases 1\n\
            task 0 main int\nawait-catch 1\nresume 1 handing-over\n\
            task 1 main int\nwhen-all 2 3\n\
            task 2 worker void\n{both}\n\
            task 3 worker void\n{both}"
        ),
        &[
            "acquire-lease",
            "arc-status",
            "await-catch",
            "begin",
            "begin-branch",
            "cancel-arc",
            "cleanup-stale",
            "complete-arc",
            "lease-holder",
            "nest-branch",
            "process-arcs",
            "progress-arc",
            "refresh-lease",
            "release-lease",
            "resume",
            "root",
            "start-arc",
            "when-all",
        ],
    );
}

/// More tasks are queued at once than the ring of a queue holds.
fn crowd() {
    let children: Vec<String> = (1..=100).map(|child| child.to_string()).collect();
    let bodies: String = children.iter().map(|child| format!("\ntask {child} worker int\nyield")).collect();
    assert_origins(&format!("task 0 main int\nwhen-all {}{bodies}", children.join(" ")), &["root", "when-all"]);
}

/// The task that would set the event may fail before, and then nobody does.
fn lost_supplier() {
    let text = "events manual\ntask 0 main int\nwhen-all 1 2\ntask 1 worker int\nwait-event 0\n\
        task 2 worker int\nsleep 1\nset-event 0";
    let mut session = open(2);
    for failing in 1..TOO_MANY {
        let graph = graph(text, failing);
        session.load(&graph);
        let mut judge = Judge::new(&graph, 2, Expectations::of(&graph));
        let execution = session.execute(0, Mode::Explore { seed: 0 });
        assert_eq!(judge.judge(execution), Judgement::Right, "allocation {failing}\n{execution:?}");
        if session.is_spent() {
            return;
        }
    }
    panic!("the event was always set");
}
