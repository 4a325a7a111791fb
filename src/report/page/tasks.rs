//! The task graph of a page: its tasks as a tree, and what each does at which step.

use serde::Serialize;

use crate::model::execution::{Aside, EventKind, Happened, ThreadId};
use crate::task_graph::{Affinity, ResultKind, TaskGraph, TaskId, Tree};

#[derive(Serialize)]
pub struct Tasks {
    tasks: Vec<Task>,
    /// The words of events, which have their indices.
    kinds: Vec<&'static str>,
    /// Steps before it, task, kind, operation, thread and value.
    events: Vec<(usize, TaskId, usize, u16, ThreadId, i64)>,
}

#[derive(Serialize)]
struct Task {
    affinity: &'static str,
    result: &'static str,
    operations: Vec<String>,
    /// Who begins it, and with which operation; the root's are itself and nothing.
    parent: TaskId,
    how: String,
}

impl Tasks {
    pub fn of(graph: &TaskGraph, asides: &[Aside]) -> Self {
        let tree = Tree::of(graph);
        let task = |(number, task): (TaskId, &crate::task_graph::Task)| {
            let parent = tree.parent(number);
            let begun_by = graph.tasks[parent as usize].operations.get(usize::from(tree.operation(number)));
            let how = begun_by.filter(|_| number > 0).map(ToString::to_string).unwrap_or_default();
            Task {
                affinity: affinity(task.affinity),
                result: result(task.result),
                operations: task.operations.iter().map(ToString::to_string).collect(),
                parent,
                how: how.split(' ').next().unwrap_or_default().to_owned(),
            }
        };
        let mut kinds: Vec<&'static str> = Vec::new();
        let mut events = Vec::new();
        for Aside { step, what } in asides {
            let Happened::Recorded(event) = what else { continue };
            if event.kind == EventKind::ContextsLeft {
                continue;
            }
            let word = event.kind.word();
            let kind = kinds.iter().position(|known| *known == word).unwrap_or_else(|| {
                kinds.push(word);
                kinds.len() - 1
            });
            events.push((*step, event.task, kind, event.operation, event.thread, event.value));
        }
        Self { tasks: (0..).zip(&graph.tasks).map(task).collect(), kinds, events }
    }
}

fn affinity(affinity: Affinity) -> &'static str {
    match affinity {
        Affinity::Main => "main",
        Affinity::Worker => "worker",
    }
}

fn result(result: ResultKind) -> &'static str {
    match result {
        ResultKind::Int => "int",
        ResultKind::Unique => "unique",
        ResultKind::Void => "void",
    }
}
