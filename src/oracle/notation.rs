//! Histories for the oracles' tests, in a short notation.
//!
//! `1.0(` is the call of operation 0 of task 1, `1.0)` its return, `1.0)=5` the same with a value, `1.0!7`
//! its failure; `1.0<` and `1.0>` its being in a processor at depth 1 and about to leave, `1.0<=2` deeper,
//! `1.0*=5` a callback; `+1` and `-1` a frame made and destroyed, `1[` and `1]` the beginning and end of a task,
//! `1]=5` the same with a value, `1!7` its failure; `0%=1` one context left at the end. `@2` at the end: on thread 2; a task
//! stays on its thread.

use super::Judge;
use crate::model::execution::{BlockedThread, Ending, Event, EventKind, Execution};
use crate::model::verdict::{Failure, Judgement};
use crate::reference::Expectations;
use crate::task_graph::{TaskGraph, text};

pub(super) const THREADS: u16 = 3;

/// What the oracles say of a history of a task graph that came to its end.
pub(super) fn judge(graph: &str, history: &str) -> Judgement {
    judge_ending(graph, history, Ending::Completed)
}

pub(super) fn judge_ending(graph: &str, history: &str, ending: Ending) -> Judgement {
    judge_allocating(graph, history, ending, 0)
}

/// The same, for an execution that allocates so often: with `fail-allocation 1` in the task graph and 1 here, memory
/// ran out.
pub(super) fn judge_allocating(graph: &str, history: &str, ending: Ending, allocations: u64) -> Judgement {
    let graph = text::parse(&format!("task-graph\nobjects\n{graph}\nend")).expect("a valid task graph");
    let execution = Execution { ending, allocations, ..Execution::completed(events(&graph, history)) };
    Judge::new(&graph, THREADS, Expectations::of(&graph)).judge(&execution)
}

/// Judges two void tasks, of worker affinity, that run at once; `middle` is what they do.
pub(super) fn judge_two(objects: &str, first: &str, second: &str, middle: &str) -> Judgement {
    let (graph, begin, end) = two(objects, first, second);
    judge(&graph, &format!("{begin} {middle} {end}"))
}

/// The same, for an execution that got stuck.
pub(super) fn judge_two_stuck(objects: &str, first: &str, second: &str, middle: &str) -> Judgement {
    let (graph, begin, _) = two(objects, first, second);
    judge_ending(&graph, &format!("{begin} {middle}"), stuck())
}

/// A thread has nothing to do.
pub(super) fn stuck() -> Ending {
    Ending::Stuck(vec![BlockedThread { thread: 0, primitive: "sem_wait", descriptor: None }])
}

fn two(objects: &str, first: &str, second: &str) -> (String, &'static str, &'static str) {
    let lines = |operations: &str| operations.replace(", ", "\n");
    let graph = format!(
        "{objects}\ntask 0 main int\nwhen-all 1 2\ntask 1 worker void\n{}\ntask 2 worker void\n{}",
        lines(first),
        lines(second)
    );
    (graph, "+0 0[ 0.0( +1 +2 1[@1 2[@2", "1] 2] 0.0) 0] -1 -2 -0")
}

/// The cause of a failure.
pub(super) fn cause(judgement: Judgement) -> String {
    failure(judgement).cause
}

pub(super) fn failure(judgement: Judgement) -> Failure {
    match judgement {
        Judgement::Wrong(failure) => failure,
        other => panic!("nothing was found wrong: {other:?}"),
    }
}

fn events(graph: &TaskGraph, history: &str) -> Vec<Event> {
    let mut threads = vec![0; graph.tasks.len()];
    history.split_whitespace().map(|word| event(word, &mut threads)).collect()
}

fn event(word: &str, threads: &mut [u16]) -> Event {
    let (word, thread) = match word.split_once('@') {
        Some((word, thread)) => (word, Some(number(thread) as u16)),
        None => (word, None),
    };
    let (word, value) = match word.split_once(['=', '!']) {
        Some((rest, value)) if word.contains('=') => (rest.to_owned(), number(value)),
        Some((rest, value)) => (format!("{rest}!"), number(value)),
        None => (word.to_owned(), 0),
    };
    let value = if value == 0 && word.ends_with(['<', '>']) { 1 } else { value };
    let sign = |at: char| at == '+' || at == '-';
    let end = word.find(['(', ')', '[', ']', '!', '<', '>', '*', '%']).unwrap_or(word.len());
    let name = word[..end].trim_start_matches(sign);
    let (task, operation) = name.split_once('.').unwrap_or((name, ""));
    let kind = match (word.chars().next(), word.chars().last(), operation.is_empty()) {
        (Some('+'), ..) => EventKind::FrameMade,
        (Some('-'), ..) => EventKind::FrameFreed,
        (_, Some('['), _) => EventKind::TaskBegin,
        (_, Some(']'), _) => EventKind::TaskEnd,
        (_, Some('!'), true) => EventKind::TaskFail,
        (_, Some('!'), false) => EventKind::OperationFail,
        (_, Some('('), _) => EventKind::OperationBegin,
        (_, Some(')'), _) => EventKind::OperationEnd,
        (_, Some('<'), _) => EventKind::Entered,
        (_, Some('>'), _) => EventKind::Leaving,
        (_, Some('*'), _) => EventKind::Callback,
        (_, Some('%'), _) => EventKind::ContextsLeft,
        _ => panic!("`{word}` is no event"),
    };
    let task = number(task) as u32;
    let here = threads.get_mut(task as usize).map(|last| {
        *last = thread.unwrap_or(*last);
        *last
    });
    Event {
        value,
        task,
        operation: if operation.is_empty() { 0 } else { number(operation) as u16 },
        thread: here.unwrap_or_default(),
        kind,
    }
}

fn number(word: &str) -> i64 {
    word.parse().expect("a number")
}
