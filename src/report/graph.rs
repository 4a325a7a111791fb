//! A task graph in the language of Graphviz.

use std::fmt::Write;

use crate::task_graph::{Affinity, Operation, ResultKind, TaskGraph, TaskId};

/// A digraph: a box for each task with its operations, an edge from the operation that begins a task.
#[must_use]
pub fn dot(graph: &TaskGraph) -> String {
    let mut dot = String::from("digraph task_graph {\n  node [shape=box, fontname=monospace];\n");
    for (index, task) in graph.tasks.iter().enumerate() {
        let affinity = match task.affinity {
            Affinity::Main => "main",
            Affinity::Worker => "worker",
        };
        let result = match task.result {
            ResultKind::Int => "int",
            ResultKind::Unique => "unique",
            ResultKind::Void => "void",
        };
        let mut label = format!("task {index} · {affinity} · {result}\\l");
        for (position, operation) in task.operations.iter().enumerate() {
            let _ = write!(label, "{position} {operation}\\l");
        }
        let colour = if task.affinity == Affinity::Main { "lightblue" } else { "lightyellow" };
        let _ = writeln!(dot, "  t{index} [label=\"{label}\", style=filled, fillcolor={colour}];");
    }
    for (index, task) in graph.tasks.iter().enumerate() {
        for (position, operation) in task.operations.iter().enumerate() {
            let (how, children) = begun_by(operation);
            for child in children {
                let _ = writeln!(dot, "  t{index} -> t{child} [label=\"{position} {how}\"];");
            }
        }
    }
    dot.push_str("}\n");
    dot
}

/// The tasks that an operation begins, and how.
fn begun_by(operation: &Operation) -> (&'static str, &[TaskId]) {
    use std::slice::from_ref;
    match operation {
        Operation::Await(task) => ("await", from_ref(task)),
        Operation::AwaitCatch(task) => ("await-catch", from_ref(task)),
        Operation::WhenAll(tasks) => ("when-all", tasks),
        Operation::WhenAny(tasks) => ("when-any", tasks),
        Operation::Start(task) => ("start", from_ref(task)),
        _ => ("", &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task_graph::Task;

    #[test]
    fn every_task_is_a_box_and_every_beginning_an_edge() {
        let task = |operations| Task { affinity: Affinity::Worker, result: ResultKind::Void, operations };
        let tasks = vec![
            task(vec![Operation::Start(1), Operation::WhenAll(vec![2, 3]), Operation::Join(1)]),
            task(vec![Operation::Compute(1)]),
            task(Vec::new()),
            task(Vec::new()),
        ];
        let dot = dot(&TaskGraph { tasks, ..TaskGraph::default() });
        assert_eq!(dot.matches("style=filled").count(), 4);
        for edge in
            ["t0 -> t1 [label=\"0 start\"]", "t0 -> t2 [label=\"1 when-all\"]", "t0 -> t3 [label=\"1 when-all\"]"]
        {
            assert!(dot.contains(edge), "no {edge} in {dot}");
        }
        assert_eq!(dot.matches("->").count(), 3, "joining begins nothing");
    }
}
