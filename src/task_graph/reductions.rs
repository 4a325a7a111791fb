//! Smaller task graphs than a given one, for whoever looks for the smallest that still fails.

use super::call::Call;
use super::compact::compact;
use super::validate::validate;
use super::{Operation, TaskGraph, TaskId};

/// The valid task graphs that one step makes of this one, those first that leave most out.
///
/// A step leaves out a row of operations of one task, one child of a group or one kind of injection; with each
/// operation goes what makes no sense without it: the tasks it begins and whatever else names them, the unlock of a
/// lock, the end of a branch.
#[must_use]
pub fn steps(graph: &TaskGraph) -> Vec<TaskGraph> {
    let mut smaller = vec![];
    let longest = graph.tasks.iter().map(|task| task.operations.len()).max().unwrap_or(0);
    let mut length = longest.next_power_of_two();
    while length > 0 {
        for (task, operations) in graph.tasks.iter().map(|task| &task.operations).enumerate() {
            // A row of which only a part is there is one of the shorter ones.
            for first in (0..operations.len()).step_by(length) {
                if first + length <= operations.len() || first == 0 && operations.len() * 2 > length {
                    let last = (first + length).min(operations.len());
                    smaller.push(without(graph, task, &(first..last).collect::<Vec<_>>()));
                }
            }
        }
        length /= 2;
    }
    smaller.extend(without_one_child(graph));
    smaller.extend(without_one_injection(graph));
    let mut valid: Vec<TaskGraph> =
        smaller.into_iter().map(compact).filter(|smaller| smaller != graph && validate(smaller).is_ok()).collect();
    valid.dedup();
    valid
}

/// The task graph without these operations of a task and what depends on them.
fn without(graph: &TaskGraph, task: usize, dropped: &[usize]) -> TaskGraph {
    let mut smaller = graph.clone();
    let operations = &graph.tasks[task].operations;
    let mut gone = vec![false; operations.len()];
    for &index in dropped {
        gone[index] = true;
        if let Some(partner) = partner(operations, index) {
            gone[partner] = true;
        }
    }
    let begun: Vec<TaskId> =
        operations.iter().zip(&gone).filter(|(_, gone)| **gone).flat_map(|(each, _)| each.begins()).copied().collect();
    let names_gone = |operation: &Operation| match operation {
        Operation::Join(child) | Operation::Detach(child) | Operation::Cancel(child) => begun.contains(child),
        _ => false,
    };
    let mut index = 0;
    smaller.tasks[task].operations.retain(|operation| {
        index += 1;
        !gone[index - 1] && !names_gone(operation)
    });
    smaller
}

/// The operation of the same task without which, or which without, an operation makes no sense.
fn partner(operations: &[Operation], index: usize) -> Option<usize> {
    let after = |wanted: &dyn Fn(&Operation) -> bool| {
        operations[index + 1..].iter().position(wanted).map(|found| index + 1 + found)
    };
    let before = |wanted: &dyn Fn(&Operation) -> bool| operations[..index].iter().rposition(wanted);
    match operations[index] {
        Operation::Lock(id) => after(&|other| *other == Operation::Unlock(id)),
        Operation::Unlock(id) => before(&|other| *other == Operation::Lock(id)),
        Operation::Call(Call::BeginBranch(_) | Call::NestBranch) => {
            let mut depth = 0;
            (index..operations.len()).find(|&place| {
                depth += nesting(&operations[place]);
                depth == 0
            })
        }
        Operation::Call(Call::EndBranch) => {
            let mut depth = 0;
            (0..=index).rev().find(|&place| {
                depth -= nesting(&operations[place]);
                depth == 0
            })
        }
        _ => None,
    }
}

/// How an operation changes the number of branches that its task is in.
fn nesting(operation: &Operation) -> i32 {
    match operation {
        Operation::Call(Call::BeginBranch(_) | Call::NestBranch) => 1,
        Operation::Call(Call::EndBranch) => -1,
        _ => 0,
    }
}

fn without_one_child(graph: &TaskGraph) -> Vec<TaskGraph> {
    let mut smaller = vec![];
    for (task, operations) in graph.tasks.iter().map(|task| &task.operations).enumerate() {
        for (index, operation) in operations.iter().enumerate() {
            let (Operation::WhenAll(children) | Operation::WhenAny(children)) = operation else { continue };
            for child in 0..children.len() {
                let mut each = graph.clone();
                if let Operation::WhenAll(left) | Operation::WhenAny(left) = &mut each.tasks[task].operations[index] {
                    left.remove(child);
                }
                smaller.push(each);
            }
        }
    }
    smaller
}

fn without_one_injection(graph: &TaskGraph) -> Vec<TaskGraph> {
    let all = graph.injections;
    let without = |injection| {
        let mut fewer = all;
        fewer.set(injection, false);
        fewer
    };
    let fewer = all.iter().map(without).chain(all.failing_allocation.map(|_| all.with_failing_allocation(None)));
    fewer.map(|injections| TaskGraph { injections, ..graph.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{from_seed, text};
    use super::*;

    fn graph(lines: &str) -> TaskGraph {
        text::parse(&format!("task-graph\nobjects\nmutexes 2\nengines 1\n{lines}\nend")).expect("a valid task graph")
    }

    #[test]
    fn every_step_is_valid_and_smaller() {
        for seed in 0..300 {
            let graph = from_seed(seed, 6);
            for smaller in steps(&graph) {
                assert_eq!(validate(&smaller), Ok(()), "{smaller}");
                let size = |graph: &TaskGraph| (graph.tasks.len(), graph.operation_count());
                let fewer = smaller.injections != graph.injections;
                assert!(size(&smaller) < size(&graph) || fewer, "{graph}\n{smaller}");
            }
        }
    }

    #[test]
    fn repeated_steps_lead_to_the_empty_task_graph() {
        for seed in 0..100 {
            let mut graph = from_seed(seed, 6);
            while let Some(smaller) = steps(&graph).into_iter().next() {
                graph = smaller;
            }
            assert_eq!((graph.tasks.len(), graph.operation_count()), (1, 0), "seed {seed}: {graph}");
        }
    }

    #[test]
    fn what_belongs_together_goes_together() {
        let whole = graph("task 0 main int\nlock 0\ncompute 1\nunlock 0\nbegin-branch 0\nend-branch");
        let has = |lines: &str| steps(&whole).contains(&compact(graph(lines)));
        assert!(has("task 0 main int\ncompute 1\nbegin-branch 0\nend-branch"));
        assert!(has("task 0 main int\nlock 0\ncompute 1\nunlock 0"));
        let tree = graph("task 0 main int\nstart 1\ncompute 1\njoin 1\ntask 1 worker int\nawait 2\ntask 2 main int");
        assert!(steps(&tree).contains(&compact(graph("task 0 main int\ncompute 1"))));
    }
}
