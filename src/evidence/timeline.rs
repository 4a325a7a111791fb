//! An execution for people: its events in order, each indented by the thread it happened on.

use std::fmt::Write;

use crate::model::execution::{Event, EventKind};
use crate::task_graph::TaskGraph;

/// Lines kept; what went wrong is mostly at the end.
const MAX_LINES: usize = 400;

/// The events as text. An operation that ends before anything else happens takes one line.
#[must_use]
pub fn text(graph: &TaskGraph, events: &[Event]) -> String {
    if events.is_empty() {
        return String::new();
    }
    let lines = lines(graph, events);
    let mut text = format!("timeline: {} events, main is thread 0\n", events.len());
    let left_out = lines.len().saturating_sub(MAX_LINES);
    if left_out > 0 {
        let _ = writeln!(text, "… {left_out} earlier lines left out");
    }
    for line in &lines[left_out..] {
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn lines(graph: &TaskGraph, events: &[Event]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut index = 0;
    while let Some(event) = events.get(index) {
        let end = events.get(index + 1).filter(|next| completes(event, next));
        lines.push(line(graph, index, event, end));
        index += if end.is_some() { 2 } else { 1 };
    }
    lines
}

fn completes(begin: &Event, end: &Event) -> bool {
    begin.kind == EventKind::OperationBegin
        && matches!(end.kind, EventKind::OperationEnd | EventKind::OperationFail)
        && (begin.task, begin.operation, begin.thread) == (end.task, end.operation, end.thread)
}

fn line(graph: &TaskGraph, index: usize, event: &Event, end: Option<&Event>) -> String {
    let task = event.task;
    let what = match event.kind {
        EventKind::FrameMade => format!("task {task}: frame made"),
        EventKind::FrameFreed => format!("task {task}: frame freed"),
        EventKind::TaskBegin => format!("task {task}: begins"),
        EventKind::TaskEnd => format!("task {task}: ends with {}", event.value),
        EventKind::TaskFail => format!("task {task}: fails with {}", event.value),
        EventKind::OperationBegin | EventKind::OperationEnd | EventKind::OperationFail => {
            let operation =
                graph.tasks.get(task as usize).and_then(|task| task.operations.get(usize::from(event.operation)));
            let operation = operation.map_or_else(|| "?".to_owned(), |operation| operation.to_string());
            let how = match end {
                Some(end) => ending(end),
                None if event.kind == EventKind::OperationBegin => " …".to_owned(),
                None => format!(" … {}", ending(event).trim_start()),
            };
            format!("task {task} [{}] {operation}{how}", event.operation)
        }
        EventKind::Entered => format!("task {task}: is inside, {} deep", event.value),
        EventKind::Leaving => format!("task {task}: leaves, from {} deep", event.value),
        EventKind::Callback => format!("task {task}: is called back, {}", event.value),
        EventKind::ContextsLeft => format!("contexts left at the end: {}", event.value),
    };
    let lane = "    ".repeat(usize::from(event.thread).min(16));
    format!("{index:>5}  {lane}thread {} │ {what}", event.thread)
}

fn ending(end: &Event) -> String {
    match end.kind {
        EventKind::OperationFail => format!(" → fails with {}", end.value),
        _ => format!(" → {}", end.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task_graph::{Affinity, Operation, ResultKind, Task};

    fn event(kind: EventKind, operation: u16, thread: u16, value: i64) -> Event {
        Event { value, task: 0, operation, thread, kind }
    }

    fn graph() -> TaskGraph {
        let operations = vec![Operation::Yield, Operation::Yield];
        let root = Task { affinity: Affinity::Main, result: ResultKind::Int, operations };
        TaskGraph { tasks: vec![root], ..TaskGraph::default() }
    }

    #[test]
    fn an_operation_that_ends_at_once_takes_one_line_and_another_two() {
        let events = [
            event(EventKind::OperationBegin, 0, 0, 0),
            event(EventKind::OperationEnd, 0, 0, 7),
            event(EventKind::OperationBegin, 1, 0, 0),
            event(EventKind::TaskBegin, 0, 1, 0),
            event(EventKind::OperationFail, 1, 0, 9),
        ];
        let lines = lines(&graph(), &events);
        let operation = graph().tasks[0].operations[0].to_string();
        assert_eq!(
            lines,
            [
                format!("    0  thread 0 │ task 0 [0] {operation} → 7"),
                format!("    2  thread 0 │ task 0 [1] {operation} …"),
                "    3      thread 1 │ task 0: begins".to_owned(),
                format!("    4  thread 0 │ task 0 [1] {operation} … → fails with 9"),
            ]
        );
    }

    #[test]
    fn a_long_timeline_keeps_its_end() {
        let events = vec![event(EventKind::FrameMade, 0, 0, 0); MAX_LINES + 5];
        let text = text(&graph(), &events);
        assert!(text.contains("5 earlier lines left out"), "{text}");
        assert_eq!(text.lines().count(), MAX_LINES + 2);
    }

    #[test]
    fn events_that_name_no_operation_of_the_task_graph_do_no_harm() {
        let wild = Event { task: 99, ..event(EventKind::OperationBegin, 99, u16::MAX, 0) };
        assert!(text(&graph(), &[wild]).contains("task 99 [99] ?"));
    }
}
