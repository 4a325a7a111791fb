//! What a history that nothing explains looked like, for people.

use super::super::plan::Plan;
use super::History;
use crate::model::execution::{Event, EventKind};
use crate::task_graph::TaskId;

/// Operations named in a message: at most.
const MAX_NAMED: usize = 8;

/// An operation on the object, as far as the prefix goes.
struct Involved {
    task: TaskId,
    operation: u16,
    gave: Option<i64>,
}

impl History {
    /// Names the object, how it was when it was last at rest, and the operations since, of the shortest
    /// prefix that has no explanation.
    pub(super) fn explain(&self, plan: &Plan, prefix: &[Event], object: u32) -> String {
        let mut since: Vec<Involved> = vec![];
        let mut pending = 0;
        for event in prefix {
            let of_operation =
                matches!(event.kind, EventKind::OperationBegin | EventKind::OperationEnd | EventKind::OperationFail);
            if !of_operation || self.routes[plan.at(event)].object != object {
                continue;
            }
            if event.kind == EventKind::OperationBegin {
                if pending == 0 {
                    since.clear();
                }
                since.push(Involved { task: event.task, operation: event.operation, gave: None });
                pending += 1;
            } else if event.kind == EventKind::OperationFail {
                // It never happened.
                since.retain(|call| call.task != event.task || call.gave.is_some());
                pending -= 1;
            } else if let Some(call) = since.iter_mut().rfind(|call| call.task == event.task) {
                call.gave = Some(event.value);
                pending -= 1;
            }
        }
        let mut named: Vec<String> = since
            .iter()
            .rev()
            .take(MAX_NAMED)
            .map(|call| {
                let operation = plan.operation_of(call.task, call.operation).map(ToString::to_string);
                let gave = call.gave.map_or("has not returned".to_owned(), |gave| format!("gave {gave}"));
                format!("`{}` of task {} {gave}", operation.unwrap_or_default(), call.task)
            })
            .collect();
        named.reverse();
        if since.len() > MAX_NAMED {
            named.insert(0, format!("{} more", since.len() - MAX_NAMED));
        }
        format!("from {} on, {} ({} events)", self.tracks[object as usize].state(), named.join(", "), prefix.len())
    }
}
