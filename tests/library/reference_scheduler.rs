//! The reference scheduler on generated task graphs: it never gets stuck, and its log is that of a right run.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use threadbare::model::execution::{Event, EventKind};
use threadbare::reference::scheduler::run;
use threadbare::task_graph::{
    Affinity, CANCELLED, CLOSED, EventReset, Objects, Operation, ResultKind, Task, TaskGraph, TaskId, caught, generate,
    mix,
};

const THREADS: [u16; 5] = [1, 2, 4, 8, 16];
/// How long a run may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs the task graph under a watchdog.
fn run_watched(graph: &TaskGraph, threads: u16) -> Vec<Event> {
    let (done, ended) = mpsc::channel();
    let own = graph.clone();
    let runner = thread::spawn(move || done.send(run(&own, threads)));
    match ended.recv_timeout(PATIENCE) {
        Ok(events) => events,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("stuck on {threads} threads: {graph:?}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let panic = runner.join().expect_err("the runner sends unless it panics");
            std::panic::resume_unwind(panic)
        }
    }
}

fn of_task(events: &[Event], task: usize) -> impl Iterator<Item = &Event> {
    events.iter().filter(move |event| event.task as usize == task)
}

fn verify(graph: &TaskGraph, events: &[Event]) -> Result<(), String> {
    end_of(events, 0).ok_or("the root has no end")?;
    for (index, task) in graph.tasks.iter().enumerate() {
        check_task(events, index, task).map_err(|why| format!("task {index}: {why}"))?;
    }
    check_locks(graph, events)?;
    check_channels(graph, events)
}

fn check_all(graph: &TaskGraph, events: &[Event]) {
    if let Err(why) = verify(graph, events) {
        panic!("{why}\n{graph:?}\n{events:#?}");
    }
}

/// The events of one task come in the order of its operations, on the right threads, with the right values.
fn check_task(events: &[Event], index: usize, task: &Task) -> Result<(), String> {
    let own: Vec<&Event> = of_task(events, index).collect();
    let Some((first, rest)) = own.split_first() else {
        return Ok(());
    };
    let Some((last, body)) = rest.split_last() else {
        return Err("its frame is not freed".into());
    };
    if first.kind != EventKind::FrameMade || last.kind != EventKind::FrameFreed {
        return Err(format!("begins with {first:?}, ends with {last:?}"));
    }
    let mut affinity = task.affinity;
    let mut accumulator = 0;
    let mut next = 0;
    let mut begin: Option<&Event> = None;
    let mut failure = None;
    let mut ended = false;
    for (place, &event) in body.iter().enumerate() {
        if ended {
            return Err(format!("after its end: {event:?}"));
        }
        if event.kind != EventKind::TaskBegin && place == 0 {
            return Err(format!("before its beginning: {event:?}"));
        }
        match event.kind {
            EventKind::TaskBegin if place == 0 => {}
            EventKind::OperationBegin if begin.is_none() && failure.is_none() && event.operation == next => {
                begin = Some(event);
            }
            EventKind::Entered | EventKind::Leaving | EventKind::Callback
                if begin.is_some()
                    && event.operation == next
                    && matches!(task.operations[next as usize], Operation::Call(_)) => {}
            EventKind::OperationEnd | EventKind::OperationFail if begin.is_some() && event.operation == next => {
                let operation = &task.operations[next as usize];
                next += 1;
                let begun = begin.take().expect("just looked");
                let failed = (event.kind == EventKind::OperationFail).then_some(event.value);
                match operation {
                    Operation::Hop(to) => affinity = *to,
                    Operation::Sleep(micros) if event.value < begun.value + i64::from(*micros) => {
                        return Err(format!("slept from {} to {}", begun.value, event.value));
                    }
                    Operation::WhenAny(children) if failed.is_none() => {
                        let winner = children[event.value as usize];
                        let end = end_of(events, winner).ok_or("the winner has no end")?;
                        accumulator = mix(mix(accumulator, event.value), end.value);
                    }
                    Operation::WhenAll(children) if failed.is_none() => {
                        for &child in children {
                            let end = end_of(events, child).ok_or("a child has no end")?;
                            accumulator = mix(accumulator, end.value);
                        }
                    }
                    Operation::Compute(value) => accumulator = mix(accumulator, *value),
                    Operation::Await(_) | Operation::AwaitCatch(_) | Operation::Join(_) | Operation::Receive(_)
                        if failed.is_none() =>
                    {
                        accumulator = mix(accumulator, event.value);
                    }
                    _ => {}
                }
                match (operation, failed) {
                    (Operation::AwaitCatch(_), Some(code)) => accumulator = mix(accumulator, caught(code as u32)),
                    _ => failure = failed,
                }
            }
            EventKind::TaskEnd if begin.is_none() && failure.is_none() => {
                let right = if task.result == ResultKind::Void { 0 } else { accumulator };
                if usize::from(next) != task.operations.len() || event.value != right {
                    return Err(format!("ended with {event:?} instead of {right}"));
                }
                ended = true;
            }
            EventKind::TaskFail if failure == Some(event.value) => ended = true,
            _ => return Err(format!("out of place: {event:?}")),
        }
        if affinity == Affinity::Main && event.thread != 0 {
            return Err(format!("on the wrong thread: {event:?}"));
        }
    }
    Ok(())
}

fn end_of(events: &[Event], task: TaskId) -> Option<&Event> {
    of_task(events, task as usize).find(|event| matches!(event.kind, EventKind::TaskEnd | EventKind::TaskFail))
}

fn check_locks(graph: &TaskGraph, events: &[Event]) -> Result<(), String> {
    let mut holders: HashMap<u32, TaskId> = HashMap::new();
    for event in events {
        let operation = graph.tasks[event.task as usize].operations.get(usize::from(event.operation));
        match (event.kind, operation) {
            (EventKind::OperationEnd, Some(Operation::Lock(id))) => {
                if let Some(other) = holders.insert(*id, event.task) {
                    return Err(format!("mutex {id} is held by {other} and {}", event.task));
                }
            }
            (EventKind::OperationBegin, Some(Operation::Unlock(id))) => {
                holders.remove(id);
            }
            (EventKind::TaskFail | EventKind::TaskEnd, _) => holders.retain(|_, holder| *holder != event.task),
            _ => {}
        }
    }
    Ok(())
}

/// What is received was sent before, and only once.
fn check_channels(graph: &TaskGraph, events: &[Event]) -> Result<(), String> {
    let mut sent = HashSet::new();
    for event in events {
        let operation = graph.tasks[event.task as usize].operations.get(usize::from(event.operation));
        match (event.kind, operation) {
            (EventKind::OperationBegin, Some(Operation::Send(id, value))) => {
                sent.insert((*id, *value));
            }
            (EventKind::OperationEnd, Some(Operation::Receive(id)))
                if event.value != CLOSED && !sent.remove(&(*id, event.value)) =>
            {
                return Err(format!("received out of nowhere: {event:?}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether every schedule of the task graph gives the same result.
fn is_certain(graph: &TaskGraph) -> bool {
    let uncertain = |operation: &Operation| {
        matches!(operation, Operation::WhenAny(_) | Operation::CheckCancel | Operation::Receive(_))
    };
    !graph.tasks.iter().flat_map(|task| &task.operations).any(uncertain)
}

fn check_seeds(seeds: impl Iterator<Item = u64>, size: u32, threads: &[u16]) {
    let mut certain = 0;
    let mut runs = 0;
    let begun = Instant::now();
    for seed in seeds {
        let graph = generate::from_seed(seed, size);
        let mut result: Option<Event> = None;
        for &threads in threads {
            let events = run_watched(&graph, threads);
            runs += 1;
            check_all(&graph, &events);
            let end = *end_of(&events, 0).expect("checked");
            if let Some(other) = result.filter(|_| is_certain(&graph)) {
                certain += 1;
                assert_eq!((end.kind, end.value), (other.kind, other.value), "seed {seed}, {threads} threads");
            }
            result = Some(end);
        }
    }
    eprintln!("size {size}: {runs} runs, {certain} compared, {:?} each", begun.elapsed() / runs);
}

#[test]
fn small_task_graphs_run_to_their_end_on_any_number_of_threads() {
    check_seeds(0..2_000, generate::DEFAULT_SIZE, &THREADS);
}

#[test]
fn large_task_graphs_run_to_their_end_on_any_number_of_threads() {
    check_seeds(0..60, 100, &THREADS);
    check_seeds(0..2, 1_000, &THREADS);
}

fn task(affinity: Affinity, operations: &[Operation]) -> Task {
    Task { affinity, result: ResultKind::Int, operations: operations.to_vec() }
}

fn one_event() -> Objects {
    Objects { events: vec![EventReset::Manual], ..Objects::default() }
}

#[test]
fn a_stop_reaches_what_a_started_task_awaits_but_not_what_it_started() {
    let root =
        task(Affinity::Main, &[Operation::Start(1), Operation::Cancel(1), Operation::SetEvent(0), Operation::Join(1)]);
    let child = task(
        Affinity::Worker,
        &[Operation::WaitEvent(0), Operation::Start(2), Operation::Join(2), Operation::Await(3)],
    );
    let check = [Operation::CheckCancel];
    let tasks = vec![root, child, task(Affinity::Main, &check), task(Affinity::Main, &check)];
    let graph = TaskGraph { objects: one_event(), tasks, ..TaskGraph::default() };
    for threads in THREADS {
        let events = run_watched(&graph, threads);
        check_all(&graph, &events);
        let ends: Vec<_> = (0..4).map(|task| end_of(&events, task).map(|end| (end.kind, end.value))).collect();
        let cancelled = Some((EventKind::TaskFail, i64::from(CANCELLED)));
        assert_eq!(ends, [cancelled, cancelled, Some((EventKind::TaskEnd, 0)), cancelled]);
    }
}

#[test]
fn the_winner_of_when_any_stops_the_others_and_they_are_waited_for() {
    let root = task(Affinity::Main, &[Operation::WhenAny(vec![1, 2])]);
    // The waiting one can only go on after the other.
    let slow = task(Affinity::Worker, &[Operation::WaitEvent(0), Operation::Sleep(200), Operation::AwaitCatch(3)]);
    let quick = task(Affinity::Main, &[Operation::Start(4), Operation::Compute(7)]);
    let asked = task(Affinity::Main, &[Operation::CheckCancel]);
    let later = task(Affinity::Main, &[Operation::Sleep(200), Operation::SetEvent(0)]);
    let graph =
        TaskGraph { objects: one_event(), tasks: vec![root, slow, quick, asked, later], ..TaskGraph::default() };
    for threads in THREADS {
        let events = run_watched(&graph, threads);
        check_all(&graph, &events);
        assert_eq!(end_of(&events, 0).map(|end| end.value), Some(mix(mix(0, 1), 7)));
        assert_eq!(end_of(&events, 1).map(|end| end.value), Some(mix(0, caught(CANCELLED))));
    }
}

#[test]
fn pending_frames_are_freed_once_and_do_not_run_on() {
    let root = task(Affinity::Main, &[Operation::Start(1), Operation::Detach(1), Operation::Sleep(2_000)]);
    let awaiting = task(Affinity::Worker, &[Operation::Await(2), Operation::Compute(1)]);
    let waiting = task(Affinity::Main, &[Operation::WaitEvent(0), Operation::Compute(1)]);
    let graph = TaskGraph { objects: one_event(), tasks: vec![root, awaiting, waiting], ..TaskGraph::default() };
    for threads in THREADS {
        let events = run_watched(&graph, threads);
        check_all(&graph, &events);
        let freed = events.iter().filter(|event| event.kind == EventKind::FrameFreed);
        assert_eq!(freed.count(), 3);
        assert!(end_of(&events, 1).is_none() && end_of(&events, 2).is_none());
    }
}

#[test]
fn a_task_graph_that_gets_stuck_is_ended_without_an_end_of_its_root() {
    let root = task(Affinity::Worker, &[Operation::WaitEvent(0)]);
    let graph = TaskGraph { objects: one_event(), tasks: vec![root], ..TaskGraph::default() };
    for threads in THREADS {
        for _ in 0..200 {
            let kinds: Vec<EventKind> = run_watched(&graph, threads).iter().map(|event| event.kind).collect();
            let [made, begun, called, freed] = kinds[..] else { panic!("{kinds:?}") };
            assert_eq!((made, begun), (EventKind::FrameMade, EventKind::TaskBegin));
            assert_eq!((called, freed), (EventKind::OperationBegin, EventKind::FrameFreed));
        }
    }
}

#[test]
fn a_wide_task_graph_uses_several_threads() {
    let children: Vec<TaskId> = (1..=64).collect();
    let child = task(Affinity::Worker, &vec![Operation::Yield; 100]);
    let root = task(Affinity::Main, &[Operation::WhenAll(children)]);
    let mut tasks = vec![root];
    tasks.extend(std::iter::repeat_n(child, 64));
    let graph = TaskGraph { objects: Objects::default(), tasks, ..TaskGraph::default() };
    // On a busy machine the main thread may be through before a worker has started.
    let shared = (0..1_000).any(|_| {
        let events = run_watched(&graph, 4);
        check_all(&graph, &events);
        events.iter().any(|event| event.thread != events[0].thread)
    });
    assert!(shared, "the main thread did everything, 1,000 times");
}

#[test]
fn a_panic_of_an_invalid_task_graph_reaches_the_caller() {
    let root = task(Affinity::Worker, &[Operation::Join(1)]);
    let graph = TaskGraph { objects: Objects::default(), tasks: vec![root], ..TaskGraph::default() };
    for threads in [1, 4] {
        let graph = graph.clone();
        assert!(std::panic::catch_unwind(move || run_watched(&graph, threads)).is_err());
    }
}
